"""Networks from ONNX files: the outputs of what torch, skl2onnx and this package write; a sentence for all else."""

import os
import sys
import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng
from neuralgauge.onnx_models import affine
from neuralgauge.onnx_models import reader as reader_module

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import onnx
from onnx import helper, numpy_helper
from onnx_runs import run as run_onnx

X = np.random.default_rng(1).normal(size=(6, 3))
DOUBLE = onnx.TensorProto.DOUBLE


def network(bias=True, c=2, offset=True, seed=0):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(
        rng.normal(size=(3 + bias, 4)), rng.normal(size=(4, c)), bias, rng.normal(size=c) if offset else 0.0
    )


def made(nodes, constants=(), shape=("n", 3), outputs=("y",), inputs=("x",)):
    """A model of nodes (operator, inputs, output, attributes) in double precision; `ml.` is ai.onnx.ml."""
    protos = [
        helper.make_node(
            kind.removeprefix("ml."), given, [name], domain="ai.onnx.ml" if kind[:3] == "ml." else "", **dict(*options)
        )
        for kind, given, name, *options in nodes
    ]
    graph = helper.make_graph(
        protos,
        "graph",
        [helper.make_tensor_value_info(name, DOUBLE, shape) for name in inputs],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in dict(constants).items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8
    )


def constants(**others):
    net = network()
    return {"U": net.U[:3], "u": net.U[3], "A": net.A, "b": net.offset, "zero": np.zeros(1)} | others


LAYERS = [
    ("MatMul", ["x", "U"], "products"),
    ("Add", ["products", "u"], "hidden"),
    ("Relu", ["hidden"], "h"),
    ("MatMul", ["h", "A"], "f"),
    ("Add", ["f", "b"], "y"),
]
GEMMS = [  # what torch writes for Sequential(Linear, ReLU, Linear)
    ("Gemm", ["x", "UT", "u"], "hidden", {"transB": 1}),
    ("Relu", ["hidden"], "h"),
    ("Gemm", ["h", "AT", "b"], "y", {"transB": 1}),
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("offset", [True, False])
def test_there_and_back_to_the_last_bit(bias, offset):
    net = network(bias, offset=offset)
    back = ng.from_onnx(ng.to_onnx(net, precision="float64"))
    for name in ("U", "A", "offset", "bias"):
        np.testing.assert_array_equal(getattr(back, name), getattr(net, name))
    single = ng.from_onnx(ng.to_onnx(net, precision="float32"))
    np.testing.assert_array_equal(single.U, net.U.astype(np.float32))


@pytest.mark.parametrize("seed", range(3))
def test_the_certificate_is_the_same(seed, tmp_path):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(12, 3))
    problem = ng.TrainingProblem(rows, np.abs(rows[:, 0]), beta=0.3, bias=seed != 1, offset=seed == 2)
    net = network(problem.bias, c=1, offset=seed == 2, seed=seed)
    ng.to_onnx(net, tmp_path / "net.onnx", "float64")
    back = ng.from_onnx(tmp_path / "net.onnx")
    assert ng.certify(back, problem, gap=0.1) == ng.certify(net, problem, gap=0.1)


def test_estimators_become_their_networks_in_the_users_units():
    rows = X * [1.0, 1e3, 1e-4] + [5.0, -1e4, 0.0]
    model = ng.ReLURegressor(beta=0.1).fit(rows, rows[:, :2])
    back = ng.from_onnx(ng.to_onnx(model, precision="float64"))
    np.testing.assert_allclose(back.U, model.network_.U, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(back.predict(rows), model.predict(rows), rtol=1e-12)
    classifier = ng.ReLUClassifier(beta=0.1).fit(rows, [0, 1, 2] * 2)
    onnx_model = ng.to_onnx(classifier, precision="float64")
    with pytest.raises(ng.ModelFileError, match="has the outputs 'label', 'probabilities'; name one"):
        ng.from_onnx(onnx_model)
    with pytest.raises(ng.ModelFileError, match=r"'Softmax', is refused, .* give output='output'"):
        ng.from_onnx(onnx_model, output="probabilities")
    back = ng.from_onnx(onnx_model, output="output")
    np.testing.assert_allclose(back.predict(rows), classifier.decision_function(rows), rtol=1e-10)


@pytest.mark.parametrize("nodes", [LAYERS, GEMMS], ids=["MatMul", "Gemm"])
def test_files_of_any_origin(nodes):
    net = network()
    model = made(nodes, constants(UT=net.U[:3].T, AT=net.A.T))
    back = ng.from_onnx(model)
    np.testing.assert_array_equal(back.U, net.U)
    np.testing.assert_array_equal(back.A, net.A)
    np.testing.assert_array_equal(back.offset, net.offset)


# What comes before, in the place of "x", and after, in the place of "y".
BEFORE = [
    [("Sub", ["x0", "v"], "x1"), ("Div", ["x1", "w"], "x")],
    [("Sub", ["v", "x0"], "x1"), ("Mul", ["w", "x1"], "x")],
    [("Neg", ["x0"], "x1"), ("Add", ["x1", "x0"], "x2"), ("Add", ["x2", "x0"], "x")],
    [("ml.Scaler", ["x0"], "x1", {"offset": [1.0, 2.0, 3.0], "scale": [0.5, 2.0, 0.25]}),
     ("Cast", ["x1"], "x", {"to": DOUBLE})],
    [("Gather", ["x0", "order"], "x", {"axis": 1})],
    [("ml.ArrayFeatureExtractor", ["x0", "order"], "x")],
    [("Gather", ["x0", "first"], "x1", {"axis": 1}), ("Gather", ["x0", "rest"], "x2", {"axis": -1}),
     ("Mul", ["x1", "two"], "x3"), ("Concat", ["x3", "x2"], "x", {"axis": 1})],
    [("Identity", ["x0"], "x1"), ("Dropout", ["x1"], "x2"), ("Flatten", ["x2"], "x3"),
     ("Reshape", ["x3", "rows"], "x")],
    [("BatchNormalization", ["x0", "w", "v", "v", "var"], "x")],
    [("Gemm", ["x0", "square"], "x", {"alpha": 0.5})],
    [("Constant", [], "k", {"value": numpy_helper.from_array(np.array([1.0, 2.0, 4.0]))}), ("Add", ["x0", "k"], "x")],
    [("Transpose", ["square"], "S"), ("Reshape", ["S", "rows"], "T"), ("MatMul", ["T", "square"], "Q"),
     ("Sub", ["Q", "square"], "R"), ("MatMul", ["x0", "R"], "x")],
]  # fmt: skip
AFTER = [
    [("Mul", ["y", "two"], "y1"), ("Sub", ["y1", "c"], "z")],
    [("Div", ["y", "c"], "y1"), ("MatMul", ["y1", "column"], "y2"), ("Squeeze", ["y2", "last"], "z")],
    [("Gather", ["y", "first"], "y1", {"axis": 1}), ("Reshape", ["y1", "all"], "z")],
    [("Add", ["y", "y"], "z")],
    [("Cast", ["y"], "z", {"to": DOUBLE})],
]
MORE = {
    "v": np.array([0.5, -1.0, 2.0]), "w": np.array([2.0, -4.0, 0.1]), "var": np.array([1.0, 2.0, 3.0]),
    "order": np.array([2, 0, 1]), "first": np.array([0]), "rest": np.array([1, 2]), "two": np.array(2.0),
    "rows": np.array([-1, 3]), "square": np.arange(9.0).reshape(3, 3), "c": np.array([[3.0, -2.0]]),
    "column": np.array([[1.0], [2.0]]), "last": np.array([1]), "all": np.array([-1]),
}  # fmt: skip


@pytest.mark.parametrize("before", BEFORE, ids=lambda nodes: nodes[0][0])
def test_what_is_affine_before_the_relu_is_folded_in(before):
    model = made([*before, *LAYERS], constants(**MORE), inputs=["x0"])
    atol = 1e-5 if before[0][0] == "ml.Scaler" else 1e-13  # whose outputs are in single precision
    np.testing.assert_allclose(ng.from_onnx(model).predict(X), run_onnx(model, {"x0": X})["y"], atol=atol)


@pytest.mark.parametrize("after", AFTER, ids=lambda nodes: nodes[0][0])
def test_what_is_affine_after_the_relu_is_folded_in(after):
    model = made([*LAYERS, *after], constants(**MORE), outputs=["z"])
    np.testing.assert_allclose(ng.from_onnx(model).predict(X), np.squeeze(run_onnx(model, {"x": X})["z"]), atol=1e-13)


@pytest.mark.parametrize(
    "relu",
    [
        ("Clip", ["hidden", "nothing"], "h"),
        ("Max", ["zero", "hidden"], "h"),
        ("Max", ["hidden", "nothing"], "h"),
    ],
    ids=str,
)
def test_other_forms_of_the_relu(relu):
    model = made([*LAYERS[:2], relu, *LAYERS[3:]], constants(nothing=np.array(0.0)))
    np.testing.assert_allclose(ng.from_onnx(model).predict(X), run_onnx(model, {"x": X})["y"], atol=1e-13)


def test_several_inputs_are_columns_side_by_side():
    nodes = [("Mul", ["x2", "two"], "x3"), ("Concat", ["x3", "x1"], "x", {"axis": 1}), *LAYERS]
    model = made(nodes, constants(U=np.arange(24.0).reshape(6, 4) - 11.0, two=np.array(2.0)), inputs=["x1", "x2"])
    expected = run_onnx(model, {"x1": X, "x2": X[::-1]})["y"]
    np.testing.assert_allclose(ng.from_onnx(model).predict(np.hstack([X, X[::-1]])), expected, atol=1e-12)


def test_flattened_images_and_unknown_columns():
    net = network()
    nodes = [("Sub", ["x0", "half"], "x1"), ("Flatten", ["x1"], "x"), *LAYERS]
    model = made(nodes, constants(half=np.array(0.5)), shape=("n", 1, 3, 1), inputs=["x0"])
    np.testing.assert_allclose(ng.from_onnx(model).predict(X), net.predict(X - 0.5), atol=1e-13)
    for shape in (("n", "d"), None):
        np.testing.assert_array_equal(ng.from_onnx(made(LAYERS, constants(), shape=shape)).U, net.U)
        np.testing.assert_array_equal(ng.from_onnx(made(GEMMS, constants(UT=net.U[:3].T, AT=net.A.T), shape)).U, net.U)


def test_biases_as_problems_have_them():
    net = network()
    model = ng.to_onnx(net, precision="float64")
    charged = ng.from_onnx(model, offset=False)
    assert charged.n_neurons == net.n_neurons + 1
    assert not np.any(charged.offset)
    np.testing.assert_allclose(charged.predict(X), net.predict(X), atol=1e-13)
    problem = ng.TrainingProblem(X, net.predict(X), beta=0.1)
    assert ng.certify(charged, problem, gap=0.5) == ng.certify((net.U, net.A, net.offset), problem, gap=0.5)
    with pytest.raises(ng.InvalidInputError, match="no column of ones, but the network has a nonzero hidden bias"):
        ng.from_onnx(model, bias=False)
    without = ng.to_onnx(network(bias=False), precision="float64")
    assert ng.from_onnx(without, bias=True).U.shape == (4, 4)
    assert not ng.from_onnx(without, bias=True).U[3].any()


def test_multilayer_perceptrons_of_scikit_learn():
    skl2onnx = pytest.importorskip("skl2onnx")
    rows = X.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=5)).fit(rows, rows[:, 0])
        two = MLPRegressor(hidden_layer_sizes=(5, 4), max_iter=5).fit(rows, rows[:, 0])
        classes = MLPClassifier(hidden_layer_sizes=(5,), max_iter=5).fit(rows, [0, 1, 2] * 2)
        models = [skl2onnx.to_onnx(model, rows) for model in (one, two)]
        logits = skl2onnx.to_onnx(classes, rows, options={"zipmap": False})
    np.testing.assert_allclose(ng.from_onnx(models[0]).predict(rows), one.predict(rows), rtol=1e-5, atol=1e-6)
    with pytest.raises(ng.ModelFileError, match="'Relu', is refused, for it is a second layer of ReLUs"):
        ng.from_onnx(models[1])
    before = next(node.input[0] for node in logits.graph.node if node.op_type == "Softmax")
    scores = ng.from_onnx(logits, output=before).predict(rows)
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(exponents / exponents.sum(axis=1, keepdims=True), classes.predict_proba(rows), atol=1e-5)


@pytest.mark.parametrize("dynamo", [pytest.param(True, marks=pytest.mark.slow), False])
def test_pytorch(dynamo, tmp_path):
    torch = pytest.importorskip("torch")
    if dynamo:
        pytest.importorskip("onnxscript")
    nn = torch.nn
    module = nn.Sequential(nn.Linear(3, 500), nn.ReLU(), nn.Linear(500, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(2, 3),), str(tmp_path / "m.onnx"), dynamo=dynamo, verbose=False)
    expected = module(torch.tensor(X, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(ng.from_onnx(tmp_path / "m.onnx").predict(X), expected, atol=1e-5)


REFUSED = [
    ([*LAYERS[:2], ("Tanh", ["hidden"], "h"), *LAYERS[3:]], "node 3, 'Tanh', is refused, for such a network"),
    ([*LAYERS[:2], ("ml.Normalizer", ["hidden"], "h"), *LAYERS[3:]], "'ai.onnx.ml.Normalizer', is refused"),
    ([*LAYERS[:2], ("LeakyRelu", ["hidden"], "h"), *LAYERS[3:]], "'LeakyRelu', is refused"),
    ([*LAYERS[:2], ("Clip", ["hidden", "zero1", "one"], "h"), *LAYERS[3:]], "range that is not"),
    ([*LAYERS[:2], ("Max", ["hidden", "one"], "h"), *LAYERS[3:]], "a maximum of something else"),
    ([*LAYERS[:4], ("Relu", ["f"], "y")], "a second layer of ReLUs"),
    ([LAYERS[0], ("Add", ["products", "u"], "y")], "has no ReLU between its inputs and 'its output'"),
    ([*LAYERS[:4], ("Mul", ["f", "f"], "y")], "multiplies two values that depend"),
    ([*LAYERS[:4], ("Div", ["b", "f"], "y")], "divides by a value"),
    ([("MatMul", ["square", "x"], "y")], "multiplies by a value"),
    ([("MatMul", ["x", "square4"], "y")], "multiplies values of shape (n, 3) by a constant of shape (4, 4)"),
    ([("Add", ["x", "square4"], "y")], "combines values of shape (n, 3) with a constant of shape (4, 4)"),
    ([("Gemm", ["x", "square"], "y", {"transA": 1})], "or transposes one"),
    ([*LAYERS[:4], ("Concat", ["f", "x"], "y", {"axis": 1})], "joins values that do not come from one layer"),
    ([("Concat", ["x", "x"], "y", {"axis": 0})], "joins values with constants, or samples"),
    ([*LAYERS[:4], ("Add", ["f", "x"], "y")], "adds values that do not come from one layer"),
    ([("Reshape", ["x", "one_row"], "y")], "joins or splits samples"),
    ([("Transpose", ["x"], "y")], "transposes values"),
    ([("Flatten", ["x"], "y", {"axis": 0})], "joins samples"),
    ([("Squeeze", ["x", "first"], "y")], "joins samples"),
    ([("Gather", ["x", "first"], "y", {"axis": 0})], "takes something else than columns"),
    ([("Gather", ["x", "far"], "y", {"axis": 1})], "is damaged: node 1, 'Gather', makes no sense"),
    ([("Cast", ["x"], "y", {"to": 7})], "makes whole numbers"),
    ([("Dropout", ["x", "two", "yes"], "y")], "'Dropout', is refused, for it is in training"),
    ([("BatchNormalization", ["x", "w", "v", "v", "var"], "y", {"training_mode": 1})], "for it is in training"),
    ([("Conv", ["x", "square"], "y")], "'Conv', is refused"),
    ([("Add", ["x", "nothing"], "y")], "is damaged: node 1, 'Add', makes no sense"),
    ([("Add", ["x"], "y")], "is damaged: node 1, 'Add', makes no sense"),
    ([("Identity", ["x"], "z")], "has no value 'y'"),
    ([], "must hold a graph of 1 to 1000 nodes"),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_other_networks_are_refused_with_a_sentence(nodes, words):
    more = {"square4": np.eye(4), "one": np.array(1.0), "zero1": np.array(0.0), "far": np.array([7]),
            "yes": np.array(True), "one_row": np.array([2, -1])}  # fmt: skip
    with pytest.raises(ng.ModelFileError) as caught:
        ng.from_onnx(made(nodes, constants(**{**MORE, **more})))
    assert words in str(caught.value)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "a.onnx"
    for content in (b"", b"not a model", os.urandom(100)):
        path.write_bytes(content)
        with pytest.raises(ng.ModelFileError, match=r"'.*a.onnx' (is not an ONNX model|must hold a graph)"):
            ng.from_onnx(path)
    for place in (tmp_path, tmp_path / "nothing", "\0", "/dev/zero", 3, None):
        with pytest.raises(ng.ModelFileError, match=r"does not exist|cannot be read"):
            ng.from_onnx(place)
    text = made(LAYERS, constants())
    text.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.STRING
    with pytest.raises(ng.ModelFileError, match="takes 'x', which is no array of numbers"):
        ng.from_onnx(text)
    with pytest.raises(ng.ModelFileError, match="takes 'x' of one axis"):
        ng.from_onnx(made(LAYERS, constants(), shape=(3,)))
    with pytest.raises(ng.ModelFileError, match="must have inputs of a known number of columns"):
        ng.from_onnx(made([("Relu", ["x"], "y")], shape=("n", "d")))


def test_damaged_files_are_refused_or_read_but_never_crash(tmp_path):
    """Single bytes changed, and files cut short."""
    rng = np.random.default_rng(0)
    path, content = tmp_path / "a.onnx", bytearray(ng.to_onnx(network(), precision="float64").SerializeToString())
    messages = []
    for trial in range(400):
        changed = bytearray(content[: rng.integers(len(content))] if trial % 4 == 0 else content)
        for place in rng.integers(len(changed) or 1, size=3 if changed and trial % 4 else 0):
            changed[place] = rng.integers(256)
        path.write_bytes(changed)
        try:
            ng.from_onnx(path)
        except ng.NeuralgaugeError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert max(map(len, messages)) < 1000


def external(location, **entries):
    model = made(LAYERS, constants())
    tensor = next(one for one in model.graph.initializer if one.name == "U")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return model


def test_weights_in_other_files(tmp_path):
    net, folder, path = network(), tmp_path / "folder", tmp_path / "folder" / "a.onnx"
    folder.mkdir()
    weights = b"12345678" + np.ascontiguousarray(net.U[:3]).tobytes()
    (folder / "w.bin").write_bytes(weights)
    (tmp_path / "outside.bin").write_bytes(weights)
    os.symlink(tmp_path / "outside.bin", folder / "link.bin")
    os.mkfifo(folder / "pipe")
    path.write_bytes(external("w.bin", offset=8, length=96).SerializeToString())
    np.testing.assert_array_equal(ng.from_onnx(path).U, net.U)
    path.write_bytes(external("w.bin", offset=8).SerializeToString())
    np.testing.assert_array_equal(ng.from_onnx(path).U, net.U)
    for place in ("../outside.bin", str(tmp_path / "outside.bin"), "", "..", "sub/../w.bin"):
        path.write_bytes(external(place, offset=8).SerializeToString())
        with pytest.raises(ng.ModelFileError, match="only files beside it are read"):
            ng.from_onnx(path)
    for place in ("link.bin", "missing.bin"):
        path.write_bytes(external(place, offset=8).SerializeToString())
        with pytest.raises(ng.ModelFileError, match="which cannot be read"):
            ng.from_onnx(path)
    for entries in ({"offset": 10**6}, {"offset": -1}, {"offset": "x"}, {"offset": 8, "length": 5}, {}):
        path.write_bytes(external("w.bin", **entries).SerializeToString())
        with pytest.raises(ng.ModelFileError, match=r"does not have|is damaged"):
            ng.from_onnx(path)
    path.write_bytes(external("pipe").SerializeToString())
    with pytest.raises(ng.ModelFileError, match="does not have"):
        ng.from_onnx(path)
    with pytest.raises(ng.ModelFileError, match="only files beside it are read"):
        ng.from_onnx(external("w.bin", offset=8))


def test_a_small_file_may_not_ask_for_much_memory(monkeypatch):
    big = onnx.TensorProto(name="U", data_type=DOUBLE, dims=[10**12, 10**6])
    model = made(LAYERS, constants())
    model.graph.initializer[0].CopyFrom(big)
    with pytest.raises(ng.ModelFileError, match="is larger than 33,554,432 entries"):
        ng.from_onnx(model)
    wide = {
        "column": np.ones((10**5, 1)),
        "row": np.ones((1, 10**5)),
        "long": np.ones((1, 10**5)),
        "three": np.ones((3, 1)),
    }
    huge = ("n", 10**12)
    for nodes in ([("Relu", ["x"], "y")], [("Add", ["x", "one"], "h"), ("Relu", ["h"], "y")]):
        with pytest.raises(ng.ModelFileError, match="is larger than"):
            ng.from_onnx(made(nodes, {"one": np.ones(1)}, shape=huge))
    with pytest.raises(ng.ModelFileError, match="is larger than"):
        ng.from_onnx(made([("Concat", ["x", "z"], "y", {"axis": 1})], shape=("n", 10**5), inputs=["x", "z"]))
    for nodes in (
        [("Concat", ["long"] * 400, "W", {"axis": 1})],
        [("MatMul", ["column", "row"], "W")],
        [("Add", ["column", "row"], "W")],
        [("Gemm", ["column", "row"], "W")],
    ):
        with pytest.raises(ng.ModelFileError, match="is larger than"):
            ng.from_onnx(made([*nodes, ("MatMul", ["x", "W"], "y")], wide))
    with pytest.raises(ng.ModelFileError, match="is larger than"):  # the identity
        ng.from_onnx(made([("Gather", ["x", "k"], "y", {"axis": 1})], {"k": np.zeros(1, int)}, shape=("n", 10**6)))
    monkeypatch.setattr(affine, "MOST_ENTRIES", 50)
    monkeypatch.setattr(reader_module, "MOST_KEPT", 60)
    with pytest.raises(ng.ModelFileError, match="makes arrays of more than 60 entries"):
        ng.from_onnx(made(LAYERS, constants()))


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ng.MissingDependencyError, match="`from_onnx` needs the package onnx"):
        ng.from_onnx("a.onnx")
