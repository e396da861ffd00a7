"""The operators that a two-layer ReLU network may hold: constants are folded, affine maps composed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .affine import Map, Refused, check_entries, side_by_side
from .graph import ML

Constant = np.ndarray[Any, np.dtype[Any]]
Value = Map | Constant
FLOATS = (1, 10, 11, 16)  # TensorProto's float, float16, double and bfloat16


def _sum(a: Value, b: Value) -> Value:
    if isinstance(a, Map):
        return a.added(b) if isinstance(b, Map) else a.plus(b)
    return b.plus(a) if isinstance(b, Map) else _folded(np.add, a, b)


def _product(a: Value, b: Value) -> Value:
    if isinstance(a, Map) and isinstance(b, Map):
        raise Refused("it multiplies two values that depend on the inputs")
    if isinstance(a, Map):
        return a.scaled(b)  # type: ignore[arg-type]
    return b.scaled(a) if isinstance(b, Map) else _folded(np.multiply, a, b)


def _quotient(a: Value, b: Value) -> Value:
    if isinstance(b, Map):
        raise Refused("it divides by a value that depends on the inputs")
    return a.scaled(1.0 / b) if isinstance(a, Map) else _folded(np.divide, a, b)


def _negative(a: Value) -> Value:
    return a.scaled(np.array(-1.0)) if isinstance(a, Map) else -a


def _folded(operation: Callable[[Constant, Constant], Constant], a: Constant, b: Constant) -> Constant:
    check_entries(np.broadcast_shapes(a.shape, b.shape))
    return operation(a, b)


def _matmul(a: Value, b: Value) -> Value:
    if isinstance(b, Map):
        raise Refused("it multiplies by a value that depends on the inputs")
    if isinstance(a, Map):
        return a.times(b)
    if a.ndim != 2 or b.ndim != 2:
        raise Refused("it multiplies constants that are no matrices")
    check_entries((len(a), b.shape[1]))
    return a @ b


def _gemm(
    a: Value, b: Value, c: Value | None = None, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0
) -> Value:
    if isinstance(b, Map) or (isinstance(a, Map) and transA):
        raise Refused("it multiplies by a value that depends on the inputs, or transposes one")
    left = a if isinstance(a, Map) else a.T if transA else a
    product = _matmul(left, alpha * (b.T if transB else b))
    return product if c is None else _sum(product, _product(c, np.array(beta)))


def _relu(a: Value) -> Value:
    return a.rectified() if isinstance(a, Map) else np.maximum(a, 0)


def _clip(
    a: Value, low: Value | None = None, high: Value | None = None, min: float = -np.inf, max: float = np.inf
) -> Value:
    floor, ceiling = (np.asarray(limit if value is None else value) for value, limit in ((low, min), (high, max)))
    if isinstance(a, Map) and np.all(floor == 0) and np.all(ceiling >= np.finfo(np.float32).max):
        return a.rectified()
    raise Refused("it limits values to a range that is not [0, infinity)")


def _maximum(a: Value, b: Value) -> Value:
    for value, other in ((a, b), (b, a)):
        if isinstance(value, Map) and not isinstance(other, Map):
            one = (1, *value.shape)
            if not np.any(other) and np.broadcast_shapes(other.shape, one) == one:
                return value.rectified()
    raise Refused("it is a maximum of something else than a value and zero")


def _same(a: Value) -> Value:
    return a


def _dropped(a: Value, ratio: Value | None = None, training: Value | None = None, **_: Any) -> Value:
    if training is not None and np.any(training):  # type: ignore[arg-type]
        raise Refused("it is in training")
    return a


def _cast(a: Value, to: int, **_: Any) -> Value:
    if isinstance(a, Map):
        if to not in FLOATS:
            raise Refused("it makes whole numbers or text of values that depend on the inputs")
        return a
    return a.astype(np.float64) if to in FLOATS else a.astype(np.int64)


def _flatten(a: Value, axis: int = 1) -> Value:
    if isinstance(a, Map):
        if axis not in (1, -len(a.shape)):
            raise Refused("it joins samples")
        return a.reshaped((a.size,))
    return a.reshape(int(np.prod(a.shape[:axis], dtype=np.int64)), -1)


def _reshape(a: Value, shape: Value | None = None, allowzero: int = 0, **_: Any) -> Value:
    if shape is None or isinstance(shape, Map):
        raise Refused("it has a shape that is not a constant")
    sizes = [int(size) for size in shape.ravel()]
    if not isinstance(a, Map):
        return a.reshape([a.shape[k] if size == 0 and not allowzero else size for k, size in enumerate(sizes)])
    rest = [a.shape[k] if size == 0 else size for k, size in enumerate(sizes[1:])]
    if rest.count(-1) == 1 and sizes[0] != -1:
        rest[rest.index(-1)] = a.size // max(1, int(np.prod([size for size in rest if size > 0], dtype=np.int64)))
    if int(np.prod(rest, dtype=np.int64)) != a.size or min(rest, default=1) < 1 or sizes[0] > 1:
        raise Refused("it joins or splits samples")
    return a.reshaped(tuple(rest))


def _squeezed(a: Value, axes: Value | Sequence[int] | None = None) -> Value:
    if isinstance(axes, Map):
        raise Refused("it has axes that are not a constant")
    if not isinstance(a, Map):
        return np.squeeze(a, None if axes is None else tuple(np.ravel(axes)))
    chosen = [k for k, size in enumerate(a.shape, 1) if size == 1] if axes is None else np.ravel(axes).tolist()
    chosen = [k % (len(a.shape) + 1) for k in chosen]
    if any(k == 0 or a.shape[k - 1] != 1 for k in chosen):
        raise Refused("it joins samples")
    return a.reshaped(tuple(size for k, size in enumerate(a.shape, 1) if k not in chosen))


def _transpose(a: Value, perm: Sequence[int] | None = None) -> Value:
    if isinstance(a, Map):
        raise Refused("it transposes values that depend on the inputs")
    return np.transpose(a, perm)


def _concat(*parts: Value, axis: int) -> Value:
    maps = [part for part in parts if isinstance(part, Map)]
    if len(maps) == len(parts) and axis in (1, -1):
        return side_by_side(maps)
    if maps:
        raise Refused("it joins values with constants, or samples")
    arrays = [part for part in parts if not isinstance(part, Map)]
    check_entries((sum(part.size for part in arrays),))
    return np.concatenate(arrays, axis=axis)


def _gather(a: Value, index: Value, axis: int = 0) -> Value:
    if isinstance(index, Map):
        raise Refused("it looks up by a value that depends on the inputs")
    if not isinstance(a, Map):
        check_entries((*a.shape[:axis], *index.shape, *a.shape[axis:][1:]))
        return np.take(a, index, axis=axis)
    if axis not in (1, -1) or index.ndim != 1 or len(a.shape) != 1:
        raise Refused("it takes something else than columns")
    return a.taken(index)


def _features(a: Value, index: Value) -> Value:
    return _gather(a, index if isinstance(index, Map) else index.ravel(), axis=-1)


def _scaler(a: Value, offset: Sequence[float] = (0.0,), scale: Sequence[float] = (1.0,)) -> Value:
    return _product(_sum(a, -np.asarray(offset, dtype=np.float64)), np.asarray(scale, dtype=np.float64))


def _normalized(
    a: Value, *moments: Value, epsilon: float = 1e-5, training_mode: int = 0, momentum: float = 0.9
) -> Value:
    scale, b, mean, var = moments
    if training_mode:
        raise Refused("it is in training")
    if not isinstance(a, Map) or any(isinstance(value, Map) for value in (scale, b, mean, var)) or len(a.shape) != 1:
        raise Refused("it normalizes something else than columns")
    return a.plus(-mean).scaled(scale / np.sqrt(var + epsilon)).plus(b)  # type: ignore[operator, arg-type]


OPERATORS: dict[tuple[str, str], Callable[..., Value]] = {
    ("", "Add"): _sum,
    ("", "Sub"): lambda a, b: _sum(a, _negative(b)),
    ("", "Mul"): _product,
    ("", "Div"): _quotient,
    ("", "Neg"): _negative,
    ("", "MatMul"): _matmul,
    ("", "Gemm"): _gemm,
    ("", "Relu"): _relu,
    ("", "Clip"): _clip,
    ("", "Max"): _maximum,
    ("", "Identity"): _same,
    ("", "Dropout"): _dropped,
    ("", "Cast"): _cast,
    ("", "Flatten"): _flatten,
    ("", "Reshape"): _reshape,
    ("", "Squeeze"): _squeezed,
    ("", "Transpose"): _transpose,
    ("", "Concat"): _concat,
    ("", "Gather"): _gather,
    ("", "BatchNormalization"): _normalized,
    (ML, "Scaler"): _scaler,
    (ML, "ArrayFeatureExtractor"): _features,
}
