"""Parameters of the estimators: declared once, and what scikit-learn and a reader see of them."""

import inspect
import pickle
import re

import pytest
from sklearn.base import clone, is_classifier

from neuralgauge import estimators
from neuralgauge.estimators.parameters import Parametrised, estimator

FINAL = [getattr(estimators, name) for name in estimators.__all__]
TABLES = {"loss", "bias", "offset", "gap", "time_limit", "random_state", "prove", "verbose", "n_jobs"}
PATHS = {
    "betas",
    "n_betas",
    "beta_min_ratio",
    "cv",
    "rule",
    "scoring",
    "early_stopping",
    "gap_path",
    "patience",
}
SCALED = TABLES | {"standardize", "monotonic_cst", "convexity", "positive"}
GIVEN = {"beta", "warm_start"}
CLASSES = {"class_weight", "multi_class"}
FILTERS = {"filter_size", "stride", "padding", "padding_mode"}
NAMES = {
    "ReLURegressor": SCALED | GIVEN,
    "ReLUClassifier": SCALED | GIVEN | CLASSES,
    "ReLUQuantileRegressor": (SCALED - {"loss"}) | GIVEN | {"levels", "holdout"},
    "ReLURegressorCV": SCALED | PATHS,
    "ReLUClassifierCV": SCALED | PATHS | CLASSES,
    "ReLUConvRegressor": {*TABLES, *FILTERS, *GIVEN, "readout"},
    "ReLUConvClassifier": {*TABLES, *FILTERS, *GIVEN, *CLASSES, "readout"},
    "ReLUConvRegressorCV": {*TABLES, *PATHS, *FILTERS, "readout"},
    "ReLUConvClassifierCV": {*TABLES, *PATHS, *FILTERS, *CLASSES, "readout"},
    "LinearConvRegressor": {"loss", "offset", "gap", "time_limit", "verbose", *FILTERS, *GIVEN},
    "LinearConvClassifier": {"loss", "offset", "gap", "time_limit", "verbose", "class_weight", *FILTERS, *GIVEN},
}


def documented(cls, section):
    """Names and heads of the entries of a section of the docstring."""
    text = re.search(rf"^{section}\n-+\n(.*?)(?=\n\n\w+\n---|\Z)", cls.__doc__, re.DOTALL | re.MULTILINE)[1]
    return dict(line.split(" : ") for line in text.splitlines() if not line.startswith(" "))


@pytest.mark.parametrize("cls", FINAL)
def test_names_and_defaults(cls):
    model = cls()
    assert set(model.get_params()) == NAMES[cls.__name__]
    if "loss" in NAMES[cls.__name__]:
        assert model.loss == ("logistic" if is_classifier(model) else "squared")
    looser = {"ReLUQuantileRegressor": 1e-2}
    assert model.gap == (1e-4 if cls.__name__.startswith("Linear") else looser.get(cls.__name__, 1e-3))
    assert vars(model) == model.get_params()
    assert {p.kind for p in inspect.signature(cls).parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("cls", FINAL)
def test_every_parameter_is_documented_with_its_default(cls):
    heads = documented(cls, "Parameters")
    defaults = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
    assert list(heads) == list(defaults)
    for name, head in heads.items():
        assert eval(head.partition("default=")[2]) == defaults[name], name


@pytest.mark.parametrize("cls", FINAL)
def test_fitted_attributes_are_those_documented(cls):
    options = {"n_betas": 2, "cv": 2} if cls.__name__.endswith("CV") else {"beta": 1.0}
    if "filter_size" in NAMES[cls.__name__]:
        options["filter_size"] = 1
    X, y = [[float(k), 1.0] for k in range(8)], [0, 1] * 4
    model = cls(**options, gap=0.5).fit(X, y)
    fitted = {name for name in dir(model) if name.endswith("_") and not name.startswith("_")}
    sometimes = {"feature_names_in_", "calibration_"}
    assert fitted | sometimes == set(documented(cls, "Attributes")) | sometimes


@pytest.mark.parametrize("cls", FINAL)
def test_copies_and_representations(cls):
    model = cls(gap=0.25)
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        assert copy.get_params() == model.get_params()
        assert copy != model
    assert model.set_params(gap=0.5) is model
    assert "gap=0.5" in repr(model)
    assert repr(cls()) == f"{cls.__name__}()"
    assert "0.5" in model._repr_html_()
    with pytest.raises(TypeError, match="unexpected keyword argument 'betta'"):
        cls(betta=1.0)


def test_the_first_class_in_the_resolution_order_counts():
    class Base(Parametrised):
        """Base.

        Parameters
        ----------
        size : int, default=1
            Of the base.
        """

        size: int = 1

    class Left(Base):
        """Left, without a word on the size."""

    class Right(Base):
        """Right.

        Parameters
        ----------
        size : int, default=2
            Of the right.
        """

        size: int = 2

    @estimator
    class Both(Left, Right):
        """Both."""

    assert Both().size == 2
    assert Both.__doc__ == "Both.\n\nParameters\n----------\nsize : int, default=2\n    Of the right."


def test_a_parameter_without_documentation_is_refused():
    class Silent(Parametrised):
        """Silent."""

        size: int = 1

    with pytest.raises(KeyError, match="size"):
        estimator(Silent)
