"""Images and signals: data to the training problem of a convolutional network, and to its outputs."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_X_y

from .._array import Array
from ..errors import DroppedPixelsWarning, InvalidInputError
from ..features.patches import PatchGeometry
from ..features.readouts import Regions
from ..losses.targets import checked_targets
from ..preparation.prepared import Prepared
from ..preparation.standardization import Standardization
from ..problems.canonical import canonical_images, checked_weights
from ..problems.conv import ReLUConvProblem
from ..problems.linear_conv import LinearConvProblem
from .base import NetworkEstimator, ReLUEstimator, TrainingData

COLOURS = (1, 3)


class ImageEstimator(NetworkEstimator):
    """Images in the place of a table.

    Parameters
    ----------
    filter_size : int or tuple of int, default=3
        Of a filter along each spatial axis; filters span all channels. Three axes of X are taken as gray images if it
        is a pair, as signals with channels if it is a tuple of one number.
    stride : int or tuple of int, default=1
        Steps from one position of the filters to the next.
    padding : int, tuple of int or "same", default=0
        Pixels added on both sides; see `PatchGeometry`.
    padding_mode : {"zeros", "circular"}, default="zeros"
        What the pixels hold: zeros, or what is at the opposite side.

    Attributes
    ----------
    filters_ : array of shape (m, *filter_size, channels)
        The filters as images.
    scaling_ : Standardization
        Means zero and scales one: images are taken as they are.
    geometry_ : PatchGeometry
        Where the filters sit.
    image_shape_ : tuple of int
        (height, width, channels) or (length, channels) of one image or signal; others are refused when predicting.
    n_features_in_ : int
        Numbers in one image.

    Raises
    ------
    InvalidInputError
        For images of different sizes, with channels first or not finite, and filters that do not fit.

    Warns
    -----
    DroppedPixelsWarning
        If strides and padding leave some pixels out.

    Notes
    -----
    X has shape (n, height, width, channels), (n, height, width), (n, length, channels) or (n, length).
    """

    filter_size: int | tuple[int, ...] = 3
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] | Literal["same"] = 0
    padding_mode: Literal["zeros", "circular"] = "zeros"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @abstractmethod
    def _image_problem(self, images: Array, targets: Array, **options: Any) -> Any:
        """The training problem of checked images with the options that all networks have."""

    @property
    def filters_(self) -> Array:
        """The filters as images, (m, *filter_size, channels)."""
        return self.network_.filters

    @property
    def image_shape_(self) -> tuple[int, ...]:
        """Shape of one image, channels last."""
        return self.geometry_.shape

    def _fit_arguments(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> tuple[Array, Any, Array]:
        images, targets = check_X_y(
            X, y, dtype=None, ensure_all_finite=False, allow_nd=True, ensure_min_samples=2, estimator=self, **options
        )
        _check_channels(images)
        self.geometry_ = PatchGeometry.of(images, self.filter_size, self.stride, self.padding, self.padding_mode)
        self.n_features_in_ = self.geometry_.n_pixels
        return self.geometry_.images(_numbers(images), "X"), targets, checked_weights(sample_weight, len(images))

    def _prepared(
        self, data: TrainingData, chosen: Any = slice(None), scaling: Standardization | None = None
    ) -> Prepared:
        geometry, targets = self.geometry_, checked_targets(data.targets, data.loss)
        images, targets, weight = canonical_images(data.X[chosen], targets[chosen], data.sample_weight[chosen])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DroppedPixelsWarning)  # said once already, when X was checked
            problem = self._image_problem(
                images,
                targets,
                beta=1.0,
                filter_size=geometry.filter_size,
                stride=geometry.stride,
                padding=geometry.padding,
                padding_mode=geometry.padding_mode,
                loss=data.loss,
                offset=self._begins_with_offset(),
                sample_weight=weight,
            )
        return Prepared(problem, Standardization.identity(geometry.channels))

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self, "network_")
        images = self.geometry_.images(_numbers(X), "X")
        return getattr(self.network_, "predict_images", self.network_.predict)(images)


class ReLUImageEstimator(ImageEstimator, ReLUEstimator):
    """Convolutional ReLU networks.

    Parameters
    ----------
    readout : {"pooled", "flattened", "separable"} or tuple of int, default="pooled"
        How outputs come from the activations at all positions. "pooled": their mean, one output weight a filter and
        output. "flattened": an output weight for each position. A tuple: the means in so many regions along each axis.
        "separable": every patch is trained to tell the class or the target of its image, which beta is weighed against
        then, and the outputs of an image are the means over its patches.

    Attributes
    ----------
    network_ : ReLUConvNetwork
        The trained network; for "separable" its outputs are those of each patch.
    """

    readout: Regions = "pooled"

    def _image_problem(self, images: Array, targets: Array, **options: Any) -> ReLUConvProblem:
        if self.readout == "separable":
            # One a patch in so many words: classes would be taken for patches where both are as many.
            targets = np.repeat(targets[:, None], self.geometry_.n_positions, axis=1)
        return ReLUConvProblem(images, targets, readout=self.readout, bias=self.bias, **options)


class LinearImageEstimator(ImageEstimator):
    """Linear convolutional networks, with an output weight for each position.

    Parameters
    ----------
    gap : float, default=1e-4
        Relative gap between objective and lower bound at which training stops, > 0.

    Attributes
    ----------
    network_ : LinearConvNetwork
        The trained network.
    certificate_ : Certificate
        Objective, lower bound and relative gap; always "exact": the bound holds for every number of filters.

    Notes
    -----
    Nothing is drawn at random. Training is one convex program over all filters at once.
    """

    gap: float = 1e-4

    def _image_problem(self, images: Array, targets: Array, **options: Any) -> LinearConvProblem:
        return LinearConvProblem(images, targets, **options)


def _numbers(images: Any) -> Any:
    """The images, those in an array of Python objects as numbers."""
    return images.astype(np.float64) if isinstance(images, np.ndarray) and images.dtype.kind == "O" else images


def _check_channels(images: Any) -> None:
    """Refuse square images of colours whose channels come first: filters would run over the colours."""
    shape = images.shape
    if len(shape) == 4 and shape[1] in COLOURS and shape[2] == shape[3] > shape[1]:
        raise InvalidInputError(
            f"`X` must have its channels last, got shape {shape}, which seems to have {shape[1]} first; give "
            "np.moveaxis(X, 1, -1), or pad images that are so low."
        )
