"""Models of every kind that code is made of, with rows to compare on."""

import numpy as np

import neuralgauge as ng
from neuralgauge.certificate import Certificate
from neuralgauge.preparation.standardization import Standardization

HOSTILE = ['a"b', "a'b; DROP TABLE t; --", "*/ int x; /*", "??/", "größe + -b", "{0} %s", "=1+1", "a`b", "max"]


def network(rng, d, m, c, bias=True, offset=0.0):
    return ng.TwoLayerNetwork(rng.standard_normal((d + bias, m)), rng.standard_normal((m, c)), bias, offset)


def saved(rng, d, m, c=1, **terms):
    """A model in wild units: columns of means far above their deviations, and tiny ones."""
    mean, scale = rng.choice([0.0, 2000.0, -7e5, 3e-9], d), 10.0 ** rng.integers(-6, 6, d)
    scale = np.maximum(scale, 1e-4 * np.abs(mean))
    is_real = terms.get("task", "regression") == "regression" and terms.get("loss", "squared") != "poisson"
    targets = ([5e4] * c, [300.0] * c) if is_real else (0.0, 1.0)
    known = {"task": "regression", "loss": "squared", "beta": 0.1, "certificate": Certificate(2.0, 1.9, "exact")}
    return ng.SavedModel(
        network=network(rng, d, m, c, offset=0.3),
        standardization=Standardization(mean, scale, *targets),
        **{**known, **terms},
    )


def models():
    """Names and models; their columns are numbers."""
    rng = np.random.default_rng(7)
    three = ("red", 'it\'s "blue"', "gr\u00fcn")
    yield "one feature", saved(rng, 1, 3)
    yield "one neuron", saved(rng, 4, 1)
    yield "no neurons", saved(rng, 2, 0)
    yield "names", saved(rng, len(HOSTILE), 6, feature_names=tuple(HOSTILE))
    yield "targets", saved(rng, 5, 8, 3, target_name=("u", "v", "w x"))
    yield "wide", saved(rng, 12, 90)
    yield "counts", saved(rng, 3, 4, loss="poisson")
    yield "two classes", saved(rng, 3, 5, task="classification", loss="logistic", classes=(False, True))
    yield "two of softmax", saved(rng, 3, 5, 2, task="classification", loss="softmax", classes=(0, 1))
    yield "softmax", saved(rng, 3, 5, 3, task="classification", loss="softmax", classes=three)
    apart = {"loss": "logistic", "multi_class": "one_vs_rest", "classes": three}
    yield "apart", saved(rng, 3, 5, 3, task="classification", **apart)
    yield "margins", saved(rng, 3, 5, task="classification", loss="hinge", classes=("no", "yes"))
    yield "margins of three", saved(rng, 3, 5, 3, task="classification", loss="hinge", classes=(1, 2, 3))


MODELS = dict(models())


def rows_of(model, n=40, seed=0):
    """Rows within three deviations."""
    rng, scaling = np.random.default_rng(seed), model.standardization
    return scaling.feature_mean + scaling.feature_scale * rng.uniform(-3, 3, (n, len(scaling.feature_mean)))


def wanted(model, X):
    """What a model predicts: numbers or probabilities or scores (n, k)."""
    if model.has_probabilities:
        return model.predict_proba(X)
    values = model.decision_function(X) if model.classes else model.predict(X)
    return values.reshape(len(X), -1)


def sizes(model, X):
    """The largest term of the sum that an output is, which rounding is relative to."""
    network, features = model.network, model.standardization.features(X)
    design = np.column_stack([features, np.ones(len(X))])
    inside = np.abs(design) @ np.abs(network.U)
    largest = float((inside @ np.abs(network.A)).max(initial=1.0)) * float(np.max(model.standardization.target_scale))
    return largest + float(np.max(np.abs(model.standardization.target_mean)))
