"""To PyTorch and back: equal outputs, layers that mean something else refused; by a stand-in where it is not installed.

The stand-in has the layers that are used, written out in NumPy from PyTorch's documentation.
"""

import sys
import types
import warnings
from dataclasses import replace

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features.readouts import regions_of
from neuralgauge.networks.foreign import network_of


class Tensor:
    def __init__(self, values, dtype="float64"):
        self.values = np.array(values, dtype=dtype)

    def detach(self):
        return self

    cpu = detach

    def double(self):
        return Tensor(self.values)

    def numpy(self):
        return self.values


class Layer:
    def __call__(self, X):
        return Tensor(self.forward(X.values), X.values.dtype)


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def __iter__(self):
        return iter(self.layers)

    def forward(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X


class ReLU(Layer):
    def forward(self, X):
        return np.maximum(X, 0.0)


class Flatten(Layer):
    def __init__(self, start_dim=1, end_dim=-1):
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, X):
        return X.reshape(*X.shape[: self.start_dim], -1)


class Linear(Layer):
    def __init__(self, inputs, outputs, bias=True, device=None, dtype=None):
        self.weight, self.bias = None, None

    def forward(self, X):
        return X @ self.weight.values.T + (0.0 if self.bias is None else self.bias.values)


class Conv(Layer):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode="zeros", device=None, dtype=None):  # fmt: skip
        axes = int(type(self).__name__[-2])
        self.in_channels, self.kernel_size, self.padding_mode, self.groups = (
            in_channels, kernel_size, padding_mode, groups,
        )  # fmt: skip
        self.stride, self.padding, self.dilation = (
            value if isinstance(value, tuple) else (value,) * axes for value in (stride, padding, dilation)
        )
        self.weight, self.bias = None, None

    def forward(self, X):
        X = padded(X, [(size, size) for size in self.padding], self.padding_mode)
        steps = list(zip(X.shape[2:], self.kernel_size, self.stride, strict=True))
        shape = [(length - size) // step + 1 for length, size, step in steps]
        result = np.empty((len(X), len(self.weight.values), *shape))
        for position in np.ndindex(*shape):
            first = [p * step for p, (_, _, step) in zip(position, steps, strict=True)]
            where = [slice(f, f + size) for f, (_, size, _) in zip(first, steps, strict=True)]
            patch = X[:, :, *where].reshape(len(X), -1)
            result[:, :, *position] = patch @ self.weight.values.reshape(len(self.weight.values), -1).T
        return result + (0.0 if self.bias is None else self.bias.values.reshape(-1, *[1] * len(shape)))


class Pad(Layer):
    def __init__(self, padding):
        self.padding = padding

    def forward(self, X):
        pairs = list(zip(self.padding[::2], self.padding[1::2], strict=True))[::-1]
        return padded(X, pairs, "circular" if "Circular" in type(self).__name__ else "zeros")


def padded(X, pairs, mode):
    return np.pad(X, [(0, 0), (0, 0), *pairs], mode="wrap" if mode == "circular" else "constant")


class AdaptiveAvgPool(Layer):
    def __init__(self, output_size):
        self.output_size = output_size

    def forward(self, X):
        result = np.empty((*X.shape[:2], *self.output_size))
        for cell in np.ndindex(*self.output_size):
            where = [
                slice(k * length // cells, -(-(k + 1) * length // cells))
                for k, length, cells in zip(cell, X.shape[2:], self.output_size, strict=True)
            ]
            result[:, :, *cell] = X[:, :, *where].mean(axis=tuple(range(2, X.ndim)))
        return result


def stand_in():
    kinds = {kind.__name__: kind for kind in (Sequential, ReLU, Flatten, Linear)}
    for base, names in ((Conv, ("Conv",)), (Pad, ("ZeroPad", "CircularPad")), (AdaptiveAvgPool, ("AdaptiveAvgPool",))):
        for name in (f"{name}{axes}d" for name in names for axes in (1, 2)):
            kinds[name] = type(name, (base,), {})
    for name, kind in kinds.items():
        kinds[name] = type(name, (kind,), {"__module__": "torch.nn.modules"})
    nn = types.SimpleNamespace(**kinds, Parameter=lambda tensor: tensor)
    torch = types.ModuleType("torch")
    torch.nn, torch.float64, torch.float32, torch.tensor = nn, "float64", "float32", Tensor
    return torch


@pytest.fixture(params=["stand-in", "installed"])
def torch(request, monkeypatch):
    if request.param == "installed":
        return pytest.importorskip("torch")
    module = stand_in()
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def outputs(torch, module, images, precision="float64"):
    first = np.moveaxis(images, -1, 1) if images.ndim > 2 else images
    return module(torch.tensor(first.copy(), dtype=getattr(torch, precision))).detach().double().numpy()


def random_network(shape=(6, 5, 2), filter_size=2, stride=1, padding=0, mode="zeros", readout="pooled", bias=True, c=1):
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ng.DroppedPixelsWarning)
        geometry = ng.PatchGeometry(shape, filter_size, stride, padding, mode)
    n_regions = regions_of(readout, geometry.output_shape)[2]
    U, A = rng.normal(size=(geometry.d + bias, 4)), rng.normal(size=(4, n_regions * c))
    return ng.ReLUConvNetwork(U, A, bias, rng.normal(size=c), geometry=geometry, readout=readout)


CASES = [
    {},
    {"bias": False, "c": 3},
    {"readout": "flattened", "c": 3},
    {"readout": "flattened", "stride": (2, 1), "filter_size": (3, 2)},
    {"readout": (5, 2), "c": 2},
    {"readout": (2, 3), "c": 2},  # not a divisor
    {"readout": "separable"},
    {"readout": "separable", "c": 3},
    {"padding": 1, "readout": "flattened"},
    {"padding": (0, 2), "mode": "circular", "readout": "flattened"},
    {"padding": "same", "readout": "flattened", "c": 2},
    {"padding": "same", "mode": "circular", "stride": 2, "readout": "flattened"},
    {"padding": "same", "filter_size": 3, "mode": "circular"},
    {"shape": (9, 1)},
    {"shape": (9, 2), "padding": "same", "mode": "circular", "readout": "flattened", "c": 3},
    {"shape": (9, 2), "padding": "same", "readout": (3,)},
    {"shape": (9, 2), "readout": "separable", "c": 2},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_are_equal(torch, case):
    network = random_network(**case)
    images = np.random.default_rng(1).normal(size=(3, *network.geometry.shape))
    expected = network.predict(images)
    if network.readout == "separable":
        expected = expected.reshape(3, -1, network.n_outputs).transpose(0, 2, 1)
    for precision, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        found = outputs(torch, ng.to_torch(network, precision), images, precision)
        np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=tolerance, atol=tolerance)
        assert found.shape[:2] == (3, network.n_outputs)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_there_and_back(torch, case):
    network = random_network(**case)
    place = (network.geometry, network.readout)
    if case.get("readout") == (2, 3):
        with pytest.raises(
            ng.InvalidInputError, match=r"no layer for regions \(2, 3\) that do not divide the \(5, 4\)"
        ):
            network_of(ng.to_torch(network), True, True, *place)
        return
    back = network_of(ng.to_torch(network), network.bias, True, *place)
    for name in ("U", "A", "offset"):
        np.testing.assert_array_equal(getattr(back, name), getattr(network, name))


@pytest.mark.parametrize("options", [{}, {"padding": "same", "padding_mode": "circular"}, {"stride": (1, 2)}], ids=str)
def test_linear_networks(torch, options):
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ng.DroppedPixelsWarning)
        geometry = ng.PatchGeometry((6, 5, 2), 2, **options)
    U, A = rng.normal(size=(8, 3)), rng.normal(size=(3, geometry.n_positions, 2))
    images = rng.normal(size=(4, 6, 5, 2))
    for network in (ng.LinearConvNetwork(U, A, geometry, [1.0, 2.0]), ng.LinearConvNetwork(U[:, :0], A[:0], geometry)):
        module = ng.to_torch(network)
        np.testing.assert_allclose(outputs(torch, module, images), network.predict(images), atol=1e-12)
        assert "ReLU" not in [type(layer).__name__ for layer in module]


def test_dense_networks(torch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, 3))
    for bias, offset in ((True, [1.0, 2.0]), (False, 0.0)):
        network = ng.TwoLayerNetwork(rng.normal(size=(3 + bias, 5)), rng.normal(size=(5, 2)), bias, offset)
        module = ng.to_torch(network)
        np.testing.assert_allclose(outputs(torch, module, X), network.predict(X), atol=1e-12)
        back = network_of(module, bias, True)
        np.testing.assert_array_equal(back.U, network.U)
        assert (list(module)[-1].bias is None) == (not bias)


def test_a_network_without_neurons(torch):
    problem = ng.ReLUConvProblem(np.ones((2, 3, 3, 1)), [1.0, 3.0], beta=1.0, filter_size=2, offset=True)
    module = ng.to_torch(problem.empty_network())
    np.testing.assert_allclose(outputs(torch, module, np.ones((2, 3, 3, 1))), [[2.0], [2.0]])


def test_what_pytorch_has_is_certified(torch):
    """Trained here, handed over and back: the certificate is that of the network it was."""
    rng = np.random.default_rng(0)
    images, y = rng.normal(size=(8, 3, 4, 1)), rng.normal(size=8)
    problem = ng.ReLUConvProblem(images, y, beta=0.3, filter_size=(1, 2), readout="flattened", bias=False)
    network = ng.train(problem, gap=1e-3).network
    certificate = ng.certify(ng.to_torch(network), problem, gap=1e-3)
    assert certificate.upper == pytest.approx(problem.objective(network), rel=1e-9)
    assert certificate.lower <= certificate.upper * (1 + 1e-12)
    worse = ng.certify(ng.to_torch(replace(network, A=1.5 * network.A)), problem, gap=1e-3)
    assert worse.gap > certificate.gap


@pytest.mark.parametrize("readout", ["pooled", "flattened", (1, 3)])
def test_an_output_bias_costs_what_the_cheapest_constant_does(torch, readout):
    network = random_network(shape=(3, 4, 1), readout=readout, c=2)
    problem = ng.ReLUConvProblem(
        np.random.default_rng(1).normal(size=(5, 3, 4, 1)), np.ones((5, 2)), beta=1.0, filter_size=2, readout=readout
    )
    given = network_of(ng.to_torch(network), True, False, network.geometry, readout)
    np.testing.assert_allclose(problem.outputs(given), problem.outputs(network), atol=1e-12)
    n_regions = network.A.shape[1] // 2
    added = given.weight_decay() - network.weight_decay()
    assert added == pytest.approx(np.linalg.norm(network.offset) / np.sqrt(n_regions))


def test_refuses_layers_that_mean_something_else(torch):
    def of(network, **changes):
        module = ng.to_torch(network)
        for name, value in changes.items():
            setattr(next(iter(module)), name, value)
        return module

    network = random_network()
    nn = torch.nn
    relu, flat = nn.ReLU(), nn.Flatten()
    layers = list(ng.to_torch(network))
    other_pool = nn.Sequential(*layers[:2], nn.AdaptiveAvgPool2d((2, 1)), *layers[3:])
    other_end = nn.Sequential(*layers[:4], list(ng.to_torch(random_network(readout=(5, 2))))[-1])
    for model, message in [
        (ng.to_torch(random_network(readout="flattened")), r"readout='pooled' must hold \(Conv2d, ReLU, AdaptiveAvg"),
        (ng.to_torch(random_network(shape=(6, 1))), r"got \(Conv1d, ReLU"),
        (nn.Sequential(*layers[:2], relu, *layers[2:]), r"got \(Conv2d, ReLU, ReLU"),
        (of(random_network(shape=(6, 5, 3))), "in_channels = 2 like the problem, got 3"),
        (of(random_network(filter_size=3)), r"kernel_size = \(2, 2\) like the problem, got \(3, 3\)"),
        (of(random_network(stride=(1, 3))), r"stride = \(1, 1\) like the problem, got \(1, 3\)"),
        (of(random_network(padding=1)), r"padding = \('zeros', \(\(0, 0\), .* got \('zeros', \(\(1, 1"),
        (of(random_network(padding="same")), r"padding = .* got \('zeros', \(\(0, 1\), \(0, 1\)\)\)"),
        (of(random_network(padding=1, mode="circular")), r"padding = .* got \('circular'"),
        (of(network, dilation=(2, 2)), r"dilation = \(1, 1\)"),
        (of(network, groups=2), "groups = 1 like the problem, got 2"),
        (other_pool, r"output_size = \(1, 1\) .* got \(2, 1\)"),
        (nn.Sequential(*layers[:3], nn.Flatten(2), layers[4]), "start_dim of Flatten = 1 like the problem, got 2"),
        (other_end, "4 weights an output, .* 40"),
        (nn.Sequential(relu, flat), r"got \(ReLU, Flatten\)"),
    ]:  # fmt: skip
        with pytest.raises(ng.InvalidInputError, match=message):
            network_of(model, True, True, network.geometry)
    padded = [nn.ZeroPad2d((1, 1, 1, 1)), *of(random_network(padding=1))]
    with pytest.raises(ng.InvalidInputError, match=r"padding = .*'twice'"):
        network_of(nn.Sequential(*padded), True, True, random_network(padding=1).geometry)


def test_padding_may_be_given_in_pytorchs_words(torch):
    network = random_network(padding="same", readout="flattened")
    pad, *layers = ng.to_torch(network)
    assert tuple(pad.padding) == (0, 1, 0, 1)
    layers[0].padding = "same"
    back = network_of(torch.nn.Sequential(*layers), True, True, network.geometry, "flattened")
    np.testing.assert_array_equal(back.U, network.U)
    layers[0].padding = "valid"
    with pytest.raises(ng.InvalidInputError, match="padding = "):
        network_of(torch.nn.Sequential(*layers), True, True, network.geometry, "flattened")


def test_networks_of_this_package_must_be_the_problems():
    problem = ng.ReLUConvProblem(np.ones((2, 6, 5, 2)), [1.0, 3.0], beta=1.0, filter_size=2, offset=True)
    dense = ng.TrainingProblem(np.ones((2, 8)), [1.0, 3.0], beta=1.0, offset=True)
    for network, other, message in [
        (ng.TwoLayerNetwork(np.ones((9, 1)), [1.0]), problem, "the network is dense and the problem convolutional"),
        (random_network(), dense, "the network is convolutional and the problem dense"),
        (random_network(stride=2, padding=1), problem, "must have the geometry of the problem"),
        (random_network(readout="flattened"), problem, "must have the readout of the problem, pooled, got flattened"),
        ("model", problem, r"must be a ReLUConvNetwork, a tuple .*, got str"),
    ]:
        with pytest.raises(ng.InvalidInputError, match=message):
            ng.certify(network, other)
    same = replace(random_network(), geometry=ng.PatchGeometry((6, 5, 2), (2, 2), padding_mode="circular"))
    assert ng.certify(same, problem, gap=0.1).upper == pytest.approx(problem.objective(same.balance()))
    arrays = ng.certify((same.U, same.A, same.offset), problem, gap=0.1)
    assert arrays.upper == pytest.approx(problem.objective(same.balance()))


def test_refuses_to_convert():
    model = ng.ReLURegressor(beta=1.0).fit([[0.0], [1.0]], [0.0, 1.0])
    for network, message in [(model, "got ReLURegressor; pass its `network_`"), ("network", "got str.")]:
        with pytest.raises(ng.InvalidInputError, match=message):
            ng.to_torch(network)
    with pytest.raises(ng.InvalidInputError, match=r"`precision` must be one of .*, got 'half'"):
        ng.to_torch(model.network_, "half")


def test_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ng.MissingDependencyError, match="pip install torch"):
        ng.to_torch(random_network())


def test_draws_no_random_numbers():
    torch = pytest.importorskip("torch")
    before = torch.get_rng_state()
    ng.to_torch(random_network())
    assert torch.equal(before, torch.get_rng_state())
