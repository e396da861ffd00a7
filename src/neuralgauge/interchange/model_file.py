"""Model files: safetensors (numbers and text only, nothing in them is ever executed) with a checksum."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from .._array import Array
from ..errors import InvalidInputError, ModelFileError
from ..losses import get_loss
from ..preparation.standardization import Standardization
from ..problems.constraints import UNCONSTRAINED
from ..quoting import quoted
from .atomic_write import write_atomically
from .loss_record import parameters_of
from .model_checks import CONVOLUTIONAL
from .model_content import TENSORS, checksum, decoded, encoded, header_size, package_version
from .model_header import FORMAT_NAME, FORMAT_VERSION, MOST_HEADER_BYTES, fields_of, header_of
from .saved_model import SavedModel


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
    write_atomically(path, encoded(saved), force=force)


def load_model(path: str | Path) -> SavedModel:
    """Read what `save_model` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    SavedModel
        Equal to the saved one to the last bit, but for its certificate, a `StatedCertificate`: bounds that the file
        states and that were checked against no data.

    Raises
    ------
    ModelFileError
        If the file is missing, unreadable, of another kind, cut short, changed since it was written, written in a
        newer format, or holds what no model has: a beta that is not positive, a class twice, arrays that do not fit
        together, a lower bound above the objective, an image of more than 67,108,864 numbers.

    Notes
    -----
    The checksum in a file detects damage, not forgery. Types, ranges and sizes are checked before
    anything is built, so that memory and time are of the order of the size of the file and of one image.

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
    return _model_in(path, quoted(str(path)))


def decoded_model(content: bytes, name: str) -> SavedModel:
    """The model of a file's content, for instance from a pipe; `name` is what error messages call the file."""
    with tempfile.TemporaryDirectory() as folder:  # the reader of safetensors takes metadata from files alone
        path = Path(folder) / "model"
        path.write_bytes(content)
        return _model_in(path, quoted(name))


def _model_in(path: str | Path, name: str) -> SavedModel:
    fields, tensors = _read(path, name)
    stated = fields.pop("checksum", None)
    damaged = f"The model file {name} is damaged or was altered; copy or train it again."
    try:
        header = header_of(fields)
        if stated != checksum(fields, tensors):
            raise ModelFileError(damaged)
        return decoded(header, tensors)
    except ModelFileError:
        raise
    except ValueError as error:
        raise ModelFileError(f"{damaged} ({error})") from error


def from_estimator(
    estimator: Any,
    *,
    standardization: Standardization | None = None,
    feature_names: Sequence[str] | None = None,
    target_name: str | tuple[str, ...] | None = None,
) -> SavedModel:
    """The model in a fitted ReLURegressor or ReLUClassifier, with its standardization or that of the columns it got."""
    if not hasattr(estimator, "network_"):
        raise InvalidInputError(
            "`model` must be a SavedModel or a fitted ReLURegressor or ReLUClassifier, got "
            f"{type(estimator).__name__}; call `fit` first, and take the last step out of a Pipeline."
        )
    classes, loss = getattr(estimator, "classes_", None), get_loss(estimator.loss_)
    if loss.targets == "count" and parameters_of(loss) is None:
        raise InvalidInputError(
            f"A model with a loss of your own for counts, {loss.name!r}, cannot be saved, since its file would not say "
            "that predictions are exponentials; save its `network_`, or train with loss='poisson'."
        )
    network = estimator.solution_.network
    n_features = network.geometry.channels if isinstance(network, CONVOLUTIONAL) else estimator.n_features_in_
    names = getattr(estimator, "feature_names_in_", ()) if feature_names is None else feature_names
    return SavedModel(
        network=network,
        task="regression" if classes is None else "classification",
        loss=loss.name,
        loss_parameters=parameters_of(loss),
        multi_class=getattr(estimator, "multi_class", "joint"),
        offset=estimator.offset_,
        constraints=getattr(estimator, "_constraints", UNCONSTRAINED),
        beta=estimator.beta_,
        certificate=estimator.certificate_,
        standardization=standardization or getattr(estimator, "scaling_", None) or Standardization.identity(n_features),
        feature_names=tuple(str(name) for name in names),
        target_name=target_name,
        classes=() if classes is None else tuple(np.asarray(classes).tolist()),
        package_version=package_version(),
    )


def _read(path: str | Path, name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the fields of the header, of any version up to the present one, and the tensors, with types checked."""
    try:
        with Path(path).open("rb") as beginning:
            size = header_size(beginning.read(8))
        if size > MOST_HEADER_BYTES:
            raise ValueError(f"Expected a header of at most {MOST_HEADER_BYTES} bytes, got {size}")
        with safe_open(path, framework="numpy") as file:
            fields = fields_of((file.metadata() or {}).get(FORMAT_NAME, ""))
            version = fields["format_version"]
            if version > FORMAT_VERSION:
                raise ModelFileError(
                    f"The model file {name} has format version {version}, this version of neuralgauge "
                    f"({package_version()}) reads up to {FORMAT_VERSION}; upgrade neuralgauge."
                )
            return fields, _tensors(file, version)
    except ModelFileError:
        raise
    except OSError as error:
        raise ModelFileError(f"The model file {name} cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, ValueError) as error:
        raise ModelFileError(
            f"The file {name} is not a neuralgauge model, or it is empty, damaged or cut short; give a file written "
            f"by `save_model`. ({error})"
        ) from error


def _tensors(file: Any, version: int) -> dict[str, Array]:
    """All tensors by name, in double precision."""
    names = set(TENSORS) if version > 1 else set(TENSORS) - {"offset"}
    found = {name: file.get_slice(name).get_dtype() for name in list(file.keys())[: len(TENSORS) + 1]}
    if found != dict.fromkeys(names, "F64"):
        raise ValueError(f"Expected the tensors {sorted(names)} as F64, got {found}")
    return {name: file.get_tensor(name) for name in names}
