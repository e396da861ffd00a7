"""What the estimators on images and signals share: data become a problem of patches, all else is as for tables."""

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
from ..losses import Loss
from ..losses.targets import checked_targets
from ..networks.conv import ReLUConvNetwork
from ..networks.linear_conv import LinearConvNetwork
from ..problems.conv import ReLUConvProblem
from ..problems.linear_conv import LinearConvProblem
from ..problems.penalty import beta_max
from ..solvers.nuclear_norm import train_linear_conv
from ..solvers.solution import Solution
from .base import ReLUEstimator, TrainingData
from .canonical import canonical_images, checked_weights

COLOURS = (1, 3)


class ImageEstimator(ReLUEstimator):
    """Images in the place of a table; holds no parameters of its own."""

    filter_size: int | tuple[int, ...]
    stride: int | tuple[int, ...]
    padding: int | tuple[int, ...] | Literal["same"]
    padding_mode: Literal["zeros", "circular"]

    geometry_: PatchGeometry
    n_features_in_: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @abstractmethod
    def _image_problem(self, images: Array, targets: Array, loss: Loss, sample_weight: Array) -> Any:
        """The training problem of checked images under `geometry_`, at beta = 1."""

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
        return self.geometry_.images(images, "X"), targets, checked_weights(sample_weight, len(images))

    def _problem(self, data: TrainingData, chosen: Any = slice(None)) -> Any:
        targets = checked_targets(data.targets, data.loss)
        images, targets, weight = canonical_images(data.X[chosen], targets[chosen], data.sample_weight[chosen])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DroppedPixelsWarning)  # said once already, when X was checked
            return self._image_problem(images, targets, data.loss, weight)

    def _outputs(self, X: Any) -> Array:
        check_is_fitted(self, "network_")
        images = self.geometry_.images(X, "X")
        outputs: Array = getattr(self.network_, "predict_images", self.network_.predict)(images)
        return outputs


class ReLUImageEstimator(ImageEstimator):
    """Convolutional ReLU networks."""

    readout: Regions

    network_: ReLUConvNetwork

    def _image_problem(self, images: Array, targets: Array, loss: Loss, sample_weight: Array) -> ReLUConvProblem:
        if self.readout == "separable":
            # One a patch in so many words: classes would be taken for patches where both are as many.
            targets = np.repeat(targets[:, None], self.geometry_.n_positions, axis=1)
        return ReLUConvProblem(
            images,
            targets,
            beta=1.0,
            filter_size=self.geometry_.filter_size,
            stride=self.stride,
            padding=self.padding,
            padding_mode=self.padding_mode,
            readout=self.readout,
            loss=loss,
            bias=self.bias,
            offset=self.offset,
            sample_weight=sample_weight,
        )


class LinearImageEstimator(ImageEstimator):
    """Linear convolutional networks."""

    network_: LinearConvNetwork

    def _beta_max(self, problem: Any) -> float:
        return beta_max(problem) or 1.0

    def _solve(self, problem: Any, gap: float, time_limit: float | None) -> Solution:
        return train_linear_conv(problem, gap, time_limit, self._progress())

    def _image_problem(self, images: Array, targets: Array, loss: Loss, sample_weight: Array) -> LinearConvProblem:
        return LinearConvProblem(
            images,
            targets,
            beta=1.0,
            filter_size=self.geometry_.filter_size,
            stride=self.stride,
            padding=self.padding,
            padding_mode=self.padding_mode,
            loss=loss,
            offset=self.offset,
            sample_weight=sample_weight,
        )


def _check_channels(images: Any) -> None:
    """Refuse square images of colours whose channels come first: filters would run over the colours."""
    shape = images.shape
    if len(shape) == 4 and shape[1] in COLOURS and shape[2] == shape[3] > shape[1]:
        raise InvalidInputError(
            f"`X` must have its channels last, got shape {shape}, which seems to have {shape[1]} first; give "
            "np.moveaxis(X, 1, -1), or pad images that are so low."
        )
