"""Model files: safetensors (numbers and text only, nothing in them is ever executed) with a checksum."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from .._array import Array
from ..certificate import SCOPE_SENTENCES, Certificate
from ..errors import InvalidInputError, ModelFileError
from ..linear_conv import LinearConvNetwork
from ..losses import get_loss
from ..networks import TwoLayerNetwork
from .atomic_write import write_atomically
from .conv_record import rebuilt_network, record_of
from .loss_record import parameters_of
from .saved_model import CONVOLUTIONAL, SavedModel
from .standardization import Standardization

FORMAT_NAME = "neuralgauge"
FORMAT_VERSION = 3
TENSORS = ("U", "A", "offset", "feature_mean", "feature_scale", "target_mean", "target_scale")
# Version 3 has convolutional networks; others are written as version 2, for older releases to read them.
# Version 1: one output without offset, and losses without parameters.
FIRST_LOSSES = ("squared", "logistic", "hinge")


def package_version() -> str:
    """Version of the installed package, "unknown" when run from a source folder without installing."""
    try:
        return importlib.metadata.version(FORMAT_NAME)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def save_model(model: Any, path: str | Path, *, force: bool = False) -> None:
    """Write a model to a file, whole or not at all.

    Parameters
    ----------
    model : SavedModel, ReLURegressor, ReLUClassifier or another estimator of this package
        Estimators must be fitted.
    path : str or Path
        By custom ending in ``.safetensors``.
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    InvalidInputError
        If the file exists and `force` is False, the folder is missing, the model is not one of the above, or it has a
        loss of your own for counts. Other losses of your own are saved by name only: such a model predicts, but is
        certified only with the loss at hand.

    Examples
    --------
    >>> import tempfile, neuralgauge as ng
    >>> model = ng.ReLURegressor(beta=0.1).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ng.save_model(model, f"{folder}/model.safetensors")
    ...     loaded = ng.load_model(f"{folder}/model.safetensors")
    >>> bool((loaded.predict([[1.5]]) == model.predict([[1.5]])).all())
    True
    """
    saved = model if isinstance(model, SavedModel) else from_estimator(model)
    write_atomically(path, _encode(saved), force=force)


def load_model(path: str | Path) -> SavedModel:
    """Read what `save_model` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    SavedModel
        Equal to the saved one to the last bit.

    Raises
    ------
    ModelFileError
        If the file is missing, unreadable, of another kind, cut short, changed since it was written, or written
        in a newer format.

    Examples
    --------
    >>> import tempfile, neuralgauge as ng
    >>> model = ng.ReLUClassifier(beta=0.1).fit([[0.0], [1.0], [2.0]], ["low", "high", "high"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ng.save_model(model, f"{folder}/model.safetensors")
    ...     loaded = ng.load_model(f"{folder}/model.safetensors")
    >>> loaded.task, loaded.loss, loaded.beta, loaded.classes
    ('classification', 'logistic', 0.1, ('high', 'low'))
    >>> loaded.predict([[2.0]]).tolist()
    ['high']
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"The model file {str(path)!r} cannot be read: {error.strerror or error}.") from error
    header = _read_header(content, str(path))
    damaged = f"The model file {str(path)!r} is damaged or cut short; copy or train it again."
    try:
        tensors = load_tensors(content)
    except (SafetensorError, ValueError) as error:
        raise ModelFileError(damaged) from error
    if header.pop("checksum", None) != _checksum(header, tensors):
        raise ModelFileError(damaged)
    try:
        return _decode(header, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{damaged} ({error})") from error


def from_estimator(
    estimator: Any,
    *,
    standardization: Standardization | None = None,
    feature_names: Sequence[str] | None = None,
    target_name: str | tuple[str, ...] | None = None,
) -> SavedModel:
    """The model in a fitted ReLURegressor or ReLUClassifier, trained on columns standardised so (or as they were)."""
    if not hasattr(estimator, "network_"):
        raise InvalidInputError(
            "`model` must be a SavedModel or a fitted ReLURegressor or ReLUClassifier, got "
            f"{type(estimator).__name__}; call `fit` first, and take the last step out of a Pipeline."
        )
    classes, loss = getattr(estimator, "classes_", None), get_loss(getattr(estimator, "loss_", estimator.loss))
    if loss.targets == "count" and parameters_of(loss) is None:
        raise InvalidInputError(
            f"A model with a loss of your own for counts, {loss.name!r}, cannot be saved, since its file would not say "
            "that predictions are exponentials; save its `network_`, or train with loss='poisson'."
        )
    network = estimator.network_
    n_features = network.geometry.channels if isinstance(network, CONVOLUTIONAL) else estimator.n_features_in_
    names = getattr(estimator, "feature_names_in_", ()) if feature_names is None else feature_names
    return SavedModel(
        network=network,
        task="regression" if classes is None else "classification",
        loss=loss.name,
        loss_parameters=parameters_of(loss),
        multi_class=getattr(estimator, "multi_class", "joint"),
        offset=bool(estimator.offset),
        beta=estimator.beta_,
        certificate=estimator.certificate_,
        standardization=standardization or Standardization.identity(n_features),
        feature_names=tuple(str(name) for name in names),
        target_name=target_name,
        classes=() if classes is None else tuple(np.asarray(classes).tolist()),
        package_version=package_version(),
    )


def _encode(model: SavedModel) -> bytes:
    scaling = model.standardization
    tensors = {
        "U": np.ascontiguousarray(model.network.U),
        "A": np.ascontiguousarray(model.network.A),
        "offset": np.ascontiguousarray(model.network.offset),
        "feature_mean": scaling.feature_mean,
        "feature_scale": scaling.feature_scale,
        "target_mean": np.atleast_1d(scaling.target_mean),
        "target_scale": np.atleast_1d(scaling.target_scale),
    }
    header: dict[str, Any] = {
        "format": FORMAT_NAME,
        "format_version": FORMAT_VERSION if isinstance(model.network, CONVOLUTIONAL) else 2,
        "package_version": model.package_version or package_version(),
        "task": model.task,
        "loss": model.loss,
        "loss_parameters": model.loss_parameters,
        "beta": model.beta,
        "bias": getattr(model.network, "bias", False),
        "offset": model.offset,
        "feature_names": list(model.feature_names),
        "target_names": list(model.target_names),
        "classes": list(model.classes),
        "multi_class": model.multi_class,
        "certificate": {
            "upper": model.certificate.upper,
            "lower": model.certificate.lower,
            "scope": model.certificate.scope,
        },
    }
    if isinstance(model.network, CONVOLUTIONAL):
        header["network"] = record_of(model.network)
    if not all(isinstance(label, str | int | float) for label in model.classes):
        raise InvalidInputError(f"Classes must be text or numbers to be saved, got {list(model.classes)}.")
    header["checksum"] = _checksum(header, tensors)
    # One metadata entry: the writer shuffles several, and equal models should be equal files.
    return bytes(save_tensors(tensors, metadata={FORMAT_NAME: json.dumps(header, sort_keys=True)}))


def _checksum(header: dict[str, Any], tensors: dict[str, Array]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tensor.shape} ".encode())
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()


def _read_header(content: bytes, path: str) -> dict[str, Any]:
    try:
        size = int.from_bytes(content[:8], "little")
        header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][FORMAT_NAME])
        if header["format"] != FORMAT_NAME:
            raise ValueError("another format")
        version = int(header["format_version"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        state = "is empty" if not content else "is not a neuralgauge model, or its beginning is damaged"
        raise ModelFileError(f"The file {path!r} {state}; give a file written by `save_model`.") from error
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"The model file {path!r} has format version {version}, this version of neuralgauge "
            f"({package_version()}) reads up to {FORMAT_VERSION}; upgrade neuralgauge."
        )
    return dict(header)


def _decode(header: dict[str, Any], tensors: dict[str, Array]) -> SavedModel:
    first = header["format_version"] == 1
    if first:
        loss_parameters: dict[str, float] | None = {} if header["loss"] in FIRST_LOSSES else None
        target_names = [header["target_name"]] if header["target_name"] is not None else []
        tensors = {**tensors, "offset": np.zeros(1)}
    else:
        loss_parameters, target_names = header["loss_parameters"], header["target_names"]
    if set(tensors) != set(TENSORS):
        raise ValueError(f"tensors {sorted(tensors)} instead of {sorted(TENSORS)}")
    bounds = header["certificate"]
    if bounds["scope"] not in SCOPE_SENTENCES:
        raise ValueError(f"unknown scope {bounds['scope']!r}")
    return SavedModel(
        network=_network(header, tensors["U"], tensors["A"], tensors["offset"]),
        task=header["task"],
        loss=str(header["loss"]),
        beta=float(header["beta"]),
        certificate=Certificate(float(bounds["upper"]), float(bounds["lower"]), bounds["scope"]),
        standardization=Standardization(
            tensors["feature_mean"], tensors["feature_scale"], tensors["target_mean"], tensors["target_scale"]
        ),
        feature_names=tuple(header["feature_names"]),
        target_name=tuple(target_names),
        classes=tuple(header["classes"]),
        package_version=str(header["package_version"]),
        loss_parameters=loss_parameters,
        multi_class="joint" if first else header["multi_class"],
        offset=not first and bool(header["offset"]),
    )


def _network(header: dict[str, Any], U: Array, A: Array, offset: Array) -> TwoLayerNetwork | LinearConvNetwork:
    if header["format_version"] < 3:
        return TwoLayerNetwork(U, A, bool(header["bias"]), offset)
    return rebuilt_network(header["network"], U, A, bool(header["bias"]), offset)
