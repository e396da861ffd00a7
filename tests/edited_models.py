"""Model files taken apart, edited, and put together again under a checksum that fits."""

import copy
import json
from itertools import product

import numpy as np
import safetensors.numpy
from safetensors import safe_open

from neuralgauge.certificate import Certificate
from neuralgauge.features.patches import PatchGeometry
from neuralgauge.features.readouts import regions_of
from neuralgauge.interchange import SavedModel, save_model
from neuralgauge.interchange.model_content import checksum
from neuralgauge.networks.conv import ReLUConvNetwork
from neuralgauge.networks.dense import TwoLayerNetwork
from neuralgauge.networks.linear_conv import LinearConvNetwork
from neuralgauge.preparation import Standardization

VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 4, 7, 0.5, -0.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"),
    2**31, 200_000_000, 2**63, -(2**63) - 1, 2**64, 10**400, "", "a", "1", "exact", "same", "softmax", "poisson",
    "regression", "classification", "\x00", "\ud800", "x" * 10_000, [], [None], [0], [-1, 2], [1.5, 1.5], [2, 1],
    [200_000_000, 1], [20_000, 10_000, 1], [10**400, 1], ["a", "a"], ["a", "b", "c"], ["a\x00", "a"], [True, 1],
    [[[1]]] * 3, {}, {"delta": -1.0}, {"delta": 10**400}, {"kind": "relu_conv"},
]  # fmt: skip


def dense(c=1, offset=0.0, m=3, **fields):
    rng = np.random.default_rng(0)
    network = TwoLayerNetwork(rng.normal(size=(3, m)), rng.normal(size=(m, c)), True, offset)
    return model_of(network, 2, **{"feature_names": ("a", "b"), "target_name": "y", **fields})


def classifier(classes, c, loss, **fields):
    return dense(c, task="classification", loss=loss, classes=classes, **fields)


def images(readout, shape=(5, 4, 2), c=1, m=3, options=None, **fields):
    rng = np.random.default_rng(0)
    geometry = PatchGeometry(shape, **{"filter_size": 2, "padding": 1, **(options or {})})
    if readout == "linear":
        A = rng.normal(size=(m, geometry.n_positions, c))
        return model_of(LinearConvNetwork(rng.normal(size=(geometry.d, m)), A, geometry), shape[-1], **fields)
    A = rng.normal(size=(m, c * regions_of(readout, geometry.output_shape)[2]))
    U = rng.normal(size=(geometry.d + 1, m))
    return model_of(ReLUConvNetwork(U, A, True, geometry=geometry, readout=readout), shape[-1], **fields)


def model_of(network, d, **fields):
    fields = {"task": "regression", "loss": "squared", **fields}
    certificate = Certificate(6.0, 5.9, "exact")
    return SavedModel(
        network=network, beta=0.1, certificate=certificate, standardization=Standardization.identity(d), **fields
    )


MODELS = {
    "regressor": dense(loss="huber", loss_parameters={"delta": 0.5}, offset=0.3),
    "outputs": dense(3, target_name=("u", "v", "w"), loss="poisson"),
    "empty": dense(m=0),
    "two classes": classifier(("no", "yes"), 1, "logistic"),
    "softmax": classifier((3, 1, 2), 3, "softmax"),
    "one_vs_rest": classifier((0.5, 1.5, 2.5), 3, "hinge", multi_class="one_vs_rest"),
    "pooled": images("pooled"),
    "flattened": images("flattened", (9, 1)),
    "no filters": images("flattened", (9, 1), m=0),
    "regions": images((2, 1), options={"padding": "same", "padding_mode": "circular"}),
    "separable": images("separable", task="classification", loss="logistic", classes=(True, False)),
    "linear": images("linear", c=3, task="classification", loss="softmax", classes=("a", "b", "c")),
    "linear signal": images("linear", (9, 1), options={"stride": 2}),
}


def saved_parts(model, tmp_path):
    save_model(model, tmp_path / "whole", force=True)
    return parts_of(tmp_path / "whole")


def places(tree, path=()):
    """The path to each field and entry of a header, those that hold others included."""
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        yield (*path, key)
        if isinstance(tree[key], dict | list):
            yield from places(tree[key], (*path, key))


def edited(header, path, value):
    """The header with another value in this place, or without the field where the value is KeyError."""
    result = place = copy.deepcopy(header)
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result


def edited_tensors(tensors):
    """The tensors with each one left out, of another type or shape, or of hostile values."""
    for name, tensor in tensors.items():
        yield {key: other for key, other in tensors.items() if key != name}
        for value in (np.nan, np.inf, 0.0, -1.0, 5e-324, 1e200, 1e308):
            yield {**tensors, name: np.full_like(tensor, value)}
        for kind in (np.float32, np.int64, np.bool_):
            yield {**tensors, name: tensor.astype(kind)}
        for other in (tensor.T, tensor.ravel(), tensor[None], tensor[:0], tensor[..., :0], tensor.sum(), tensor[:1]):
            yield {**tensors, name: np.ascontiguousarray(other).reshape(np.shape(other))}
    for columns in (2, 2**20, 2**40):
        yield {**tensors, "U": tensors["U"][:, :0], "A": np.zeros((0, columns, *tensors["A"].shape[2:]))}
        yield {**tensors, "U": np.zeros((columns, 0)), "A": tensors["A"][:0]}


def edited_files(tmp_path):
    """Files with one edit of the header or of a tensor each, of all kinds of models, as functions of no argument."""
    for name, model in MODELS.items():
        header, tensors = saved_parts(model, tmp_path)
        for path, value in product(places(header), [KeyError, *VALUES]):
            yield name, lambda h=header, t=tensors, p=path, v=value: content_of(edited(h, p, v), t)
        for changed in edited_tensors(tensors):
            yield name, lambda h=header, t=changed: content_of(h, t)


def random_files(n, tmp_path):
    """Files in which some bytes of a tensor, of the header's text or of the file are others."""
    rng = np.random.default_rng(0)
    whole = {name: saved_parts(model, tmp_path) for name, model in MODELS.items()}
    for k in range(n):
        name = list(MODELS)[k % len(MODELS)]
        yield name, lambda name=name: disturbed(*whole[name], rng)


def disturbed(header, tensors, rng):
    kind = rng.integers(3)
    if kind == 0:
        tensors = {key: tensor.copy() for key, tensor in tensors.items()}
        disturb(tensors[rng.choice(sorted(tensors))].reshape(-1).view(np.uint8), rng)
        return content_of(header, tensors)
    if kind == 1:
        text = np.frombuffer(json.dumps(header).encode(), np.uint8).copy()
        disturb(text, rng)
        try:
            return content_of(json.loads(text.tobytes()), tensors)
        except ValueError:
            return safetensors.numpy.save(tensors, metadata={"neuralgauge": text.tobytes().decode("latin-1")})
    raw = np.frombuffer(content_of(header, tensors), np.uint8).copy()
    disturb(raw, rng)
    return raw.tobytes()


def disturb(values, rng):
    """Some bytes become random ones."""
    if values.size:
        values[rng.integers(values.size, size=rng.integers(1, 4))] = rng.integers(256)


def parts_of(path):
    """The header without its checksum, and the tensors."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["neuralgauge"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del header["checksum"]
    return header, tensors


def content_of(header, tensors):
    """The file of these."""
    text = json.dumps({**header, "checksum": checksum(header, tensors)}, sort_keys=True)
    return safetensors.numpy.save(tensors, metadata={"neuralgauge": text})
