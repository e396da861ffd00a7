"""The geometry of patches: the positions of the filters of a convolution on an image or a signal, without data."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .._array import Array
from ..errors import DroppedPixelsWarning, InvalidInputError

COPIED_AT_A_TIME = 2**21  # entries of patches that are copied at a time, 16 MiB
AXES = ("height", "width")


@dataclass(frozen=True)
class PatchGeometry:
    r"""The patches x_k = P_k x of one image, k = 1, ..., K, one for each position of a filter.

    Parameters
    ----------
    shape : tuple of int
        (height, width, channels) of one image or (length, channels) of one signal: channels come last.
    filter_size, stride : int or tuple of int
        For all spatial axes or one each, >= 1. Filters span all channels.
    padding : int, tuple of int or "same"
        Pixels added on both sides of each axis; "same" adds filter_size - 1 in all, the larger half behind, so that
        with stride 1 there are as many positions as pixels.
    padding_mode : {"zeros", "circular"}
        What is added: zeros, or the image once more.

    Raises
    ------
    InvalidInputError
        For sizes below 1, filters larger than the padded image, or circular padding larger than the image.

    Warns
    -----
    DroppedPixelsWarning
        If strides and padding leave some pixels out.

    Notes
    -----
    The filter is not flipped, as in deep-learning libraries: x_k^T u is a cross-correlation. Images come as
    (n, height, width, channels) and signals as (n, length, channels); a single channel need not have its axis.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((4, 1), filter_size=2, padding="same", padding_mode="circular")
    >>> geometry.stack([[1.0, 2.0, 3.0, 4.0]]).tolist()
    [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 1.0]]
    >>> ng.PatchGeometry((32, 32, 3), filter_size=5, stride=(3, 1)).output_shape
    (10, 28)
    """

    shape: tuple[int, ...]
    filter_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] | Literal["same"] = 0
    padding_mode: Literal["zeros", "circular"] = "zeros"

    def __post_init__(self) -> None:
        shape = tuple(_whole(size, "shape", 1) for size in np.atleast_1d(np.asarray(self.shape, dtype=object)))
        if len(shape) not in (2, 3):
            raise InvalidInputError(
                f"`shape` must be (height, width, channels) or (length, channels) of one image, got {shape}; "
                "images of one colour have one channel."
            )
        if self.padding_mode not in ("zeros", "circular"):
            raise InvalidInputError(f'`padding_mode` must be "zeros" or "circular", got {self.padding_mode!r}.')
        axes = len(shape) - 1
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "filter_size", _per_axis(self.filter_size, axes, "filter_size", 1))
        object.__setattr__(self, "stride", _per_axis(self.stride, axes, "stride", 1))
        if isinstance(self.padding, str):
            if self.padding != "same":
                raise InvalidInputError(f'`padding` must be whole numbers >= 0 or "same", got {self.padding!r}.')
        else:
            object.__setattr__(self, "padding", _per_axis(self.padding, axes, "padding", 0))
        self._check_fit()
        if self.dropped_pixels:
            warnings.warn(
                f"filters of size {self.filter_size} at stride {self.stride} with padding {self.padding} never see "
                f"{self.dropped_pixels} of the {math.prod(self.spatial_shape)} pixels of each image; change one of "
                "these, or crop the images.",
                DroppedPixelsWarning,
                stacklevel=3,
            )

    def _check_fit(self) -> None:
        for size, length, (before, after) in zip(self.filters, self.spatial_shape, self.pads, strict=True):
            if self.padding_mode == "circular" and max(before, after) > length:
                raise InvalidInputError(
                    f"circular `padding` must be at most the size of the image, {self.spatial_shape}, "
                    f"got {self.padding}; larger ones would see it more than twice."
                )
            if size > length + before + after:
                order = "; channels come last" if len(self.shape) == 3 and self.shape[0] < self.shape[-1] else ""
                raise InvalidInputError(
                    f"`filter_size` must be at most the size of the padded image, got {self.filter_size} for "
                    f"{self.spatial_shape} with padding {self.padding}{order}; take a smaller filter or pad more."
                )

    @classmethod
    def of(
        cls,
        images: Any,
        filter_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | Literal["same"] = 0,
        padding_mode: Literal["zeros", "circular"] = "zeros",
    ) -> PatchGeometry:
        """The geometry for images (n, height, width, channels) or signals (n, length, channels) or (n, length).

        Three axes are gray images if `filter_size` is a pair, signals if it is a tuple of one number; one number for
        both is refused as ambiguous, unless the last axis is a single channel.
        """
        shape = np.shape(images)[1:]
        axes = len(filter_size) if isinstance(filter_size, tuple | list | np.ndarray) else None
        if len(shape) == 2 and axes is None and shape[-1] != 1:
            raise InvalidInputError(
                f"`images` of three axes, {np.shape(images)}, may be gray images or signals with channels; for images "
                "give images[..., None] or a pair as `filter_size`, for signals a tuple of one number."
            )
        gray = len(shape) == 1 or (len(shape) == 2 and axes == 2)
        return cls((*shape, 1) if gray else shape, filter_size, stride, padding, padding_mode)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Pixels along each axis, (height, width) or (length,)."""
        return self.shape[:-1]

    @property
    def channels(self) -> int:
        """Numbers a pixel."""
        return self.shape[-1]

    @property
    def filters(self) -> tuple[int, ...]:
        """`filter_size` for each spatial axis."""
        assert isinstance(self.filter_size, tuple)
        return self.filter_size

    @property
    def strides(self) -> tuple[int, ...]:
        """`stride` for each spatial axis."""
        assert isinstance(self.stride, tuple)
        return self.stride

    @property
    def pads(self) -> tuple[tuple[int, int], ...]:
        """Pixels added before and after, for each spatial axis."""
        if isinstance(self.padding, str):
            return tuple(((size - 1) // 2, size // 2) for size in self.filters)
        assert isinstance(self.padding, tuple)
        return tuple((size, size) for size in self.padding)

    @property
    def places(self) -> tuple[object, ...]:
        """All that decides which patches there are, equal for geometries that have the same patches."""
        mode = self.padding_mode if any(map(any, self.pads)) else "zeros"
        return self.shape, self.filters, self.strides, self.pads, mode

    @property
    def d(self) -> int:
        """Entries of a filter, in C order: spatial axes, then channels."""
        return math.prod(self.filters) * self.channels

    @property
    def n_pixels(self) -> int:
        """Entries of an image, channels included."""
        return math.prod(self.shape)

    @property
    def padded_shape(self) -> tuple[int, ...]:
        """Pixels along each axis, padding included."""
        return tuple(length + sum(pad) for length, pad in zip(self.spatial_shape, self.pads, strict=True))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Positions along each spatial axis, in C order."""
        sizes = zip(self.padded_shape, self.filters, self.strides, strict=True)
        return tuple((length - size) // step + 1 for length, size, step in sizes)

    @property
    def n_positions(self) -> int:
        """K, the number of positions."""
        return math.prod(self.output_shape)

    @property
    def full_circle(self) -> bool:
        """Whether filters have the size of the image and one position for each of its cyclic shifts."""
        whole = self.filters == self.spatial_shape == self.output_shape
        return whole and self.padding_mode == "circular" and set(self.strides) == {1}

    @property
    def dropped_pixels(self) -> int:
        """Pixels of one image that no filter sees, channels not counted."""
        axes = zip(self.spatial_shape, self.output_shape, self.filters, self.strides, self.pads, strict=True)
        circular = self.padding_mode == "circular"
        return math.prod(self.spatial_shape) - math.prod(_seen(*axis, circular) for axis in axes)

    def images(self, images: Any, name: str = "images") -> Array:
        """Finite float64 images (n, *shape); a copy only where the type or a missing channel axis asks for one."""
        raw = self._shaped(images, name)
        values = np.ascontiguousarray(raw, dtype=np.float64)
        if not np.isfinite(values).all():
            bad = np.argwhere(~np.isfinite(values))
            value = str(values[tuple(bad[0])]).replace("nan", "NaN")
            raise InvalidInputError(
                f"`{name}` must be finite, got {value} in image {int(bad[0][0])} "
                f"({len(bad)} such value{'s' if len(bad) > 1 else ''}); impute or drop them first."
            )
        return values

    def view(self, images: Any) -> Array:
        """Patches as a read-only view (n, *output_shape, *filter_size, channels) of the images.

        The images are copied once if they are padded or not float64.
        """
        return self._windows(np.asarray(self._shaped(images), dtype=np.float64))

    def stack(self, images: Any) -> Array:
        """The patches themselves, (n K, d), sample by sample, positions inside: n K d floats."""
        raw = self._shaped(images)
        result = np.empty((len(raw), *self.output_shape, *self.filters, self.channels))
        for samples, rows in self.chunks(len(raw)):
            result[samples, rows] = self._windows(np.asarray(raw[samples], dtype=np.float64))[:, rows]
        return result.reshape(len(raw) * self.n_positions, self.d)

    def hidden(self, images: Any, U: Array) -> Array:
        """x_{i,k}^T u_j for every filter, (n, K, m), with U (d, m): 2 n K d m operations.

        Patches are copied in chunks of at most `COPIED_AT_A_TIME` entries, or of one row of positions if these are
        more.
        """
        raw = self._shaped(images)
        if U.ndim != 2 or U.shape[0] != self.d:
            raise InvalidInputError(
                f"`U` must have one row per filter entry ({self.d}), columns are filters, got shape {U.shape}."
            )
        m = U.shape[1]
        result = np.empty((len(raw), *self.output_shape, m))
        for samples, rows in self.chunks(len(raw)):
            patches = self._windows(np.asarray(raw[samples], dtype=np.float64))[:, rows]
            target = result[samples, rows]
            target[...] = (patches.reshape(-1, self.d) @ U).reshape(target.shape)
        return result.reshape(len(raw), self.n_positions, m)

    def chunks(self, n: int) -> Iterator[tuple[slice, slice]]:
        """Slices of n samples, and of the first axis of positions, of at most `COPIED_AT_A_TIME` entries of patches."""
        size = self.n_positions * self.d
        step = max(1, COPIED_AT_A_TIME // size)
        rows = self.output_shape[0]
        row_step = min(rows, max(1, COPIED_AT_A_TIME * rows // size))
        for sample in range(0, n, step):
            for row in range(0, rows, row_step):
                yield slice(sample, sample + step), slice(row, row + row_step)

    def unfold(self, theta: Array) -> Array:
        """Patches P_k theta (K, d, c) of weights theta (n_pixels, c) in the place of an image."""
        c = theta.shape[1]
        windows = self._windows(theta.reshape(1, *self.spatial_shape, self.channels * c))
        return windows.reshape(self.n_positions, self.d, c)

    def fold(self, Z: Array) -> Array:
        """sum_k P_k^T z_k (n_pixels, c) for Z (K, d, c), the adjoint of `unfold`: X fold(Z) = sum_k X_k z_k."""
        axes = range(len(self.filters))
        c = Z.shape[2]
        blocks = Z.reshape(*self.output_shape, *self.filters, self.channels, c)
        padded = np.zeros((*self.padded_shape, self.channels, c))
        if math.prod(self.filters) <= self.n_positions:
            for entry in np.ndindex(*self.filters):
                last = [entry[a] + self.strides[a] * (self.output_shape[a] - 1) + 1 for a in axes]
                where = tuple(slice(entry[a], last[a], self.strides[a]) for a in axes)
                padded[where] += blocks[(*(slice(None) for _ in axes), *entry)]
        else:
            for position in np.ndindex(*self.output_shape):
                first = [self.strides[a] * position[a] for a in axes]
                padded[tuple(slice(first[a], first[a] + self.filters[a]) for a in axes)] += blocks[position]
        return self._folded(padded).reshape(self.n_pixels, c)

    def _shaped(self, images: Any, name: str = "images") -> np.ndarray[Any, np.dtype[Any]]:
        """Images as an array (n, *shape) of its own numeric type."""
        try:
            raw = np.asarray(images)
        except ValueError:
            raise InvalidInputError(f"`{name}` must all have one size, got a ragged {type(images).__name__}.") from None
        if self.channels == 1 and raw.shape[1:] == self.spatial_shape:
            raw = raw[..., None]
        if raw.shape[1:] != self.shape or raw.ndim != len(self.shape) + 1 or len(raw) == 0:
            names = ", ".join(AXES if len(self.shape) == 3 else ("length",))
            raise InvalidInputError(
                f"`{name}` must have shape (n, {names}, channels) = (n, {', '.join(map(str, self.shape))}), n >= 1, "
                f"got {raw.shape}{self._remedy(raw.shape, name)}."
            )
        if raw.dtype.kind not in "biuf":
            raise InvalidInputError(f"`{name}` must hold real numbers, got {raw.dtype}; convert them first.")
        return raw

    def _remedy(self, shape: tuple[int, ...], name: str) -> str:
        if shape[1:] == (self.channels, *self.spatial_shape):
            return f"; channels come last: np.moveaxis({name}, 1, -1)"
        if shape in (self.shape, self.spatial_shape):
            return f"; give a single one as {name}[None]"
        if len(shape) == 2 and shape[1] == self.n_pixels:
            return f"; unflatten them: {name}.reshape(-1, {', '.join(map(str, self.shape))})"
        return ""

    def _windows(self, values: Array) -> Array:
        """Windows (n, *output_shape, *filter_size, q) of values (n, *spatial_shape, q); copied only if padded."""
        if any(map(any, self.pads)):
            mode: Any = "wrap" if self.padding_mode == "circular" else "constant"
            values = np.pad(values, ((0, 0), *self.pads, (0, 0)), mode=mode)
        axes = tuple(range(1, len(self.filters) + 1))
        windows = np.lib.stride_tricks.sliding_window_view(values, self.filters, axis=axes)
        windows = windows[(slice(None), *(slice(None, None, step) for step in self.strides))]
        return np.moveaxis(windows, len(axes) + 1, -1)

    def _folded(self, padded: Array) -> Array:
        """The adjoint of padding: zeros are cut off, what was added twice is added up."""
        for axis, (length, (before, after)) in enumerate(zip(self.spatial_shape, self.pads, strict=True)):
            padded = np.moveaxis(padded, axis, 0)
            inner = padded[before : before + length]
            if self.padding_mode == "circular":
                inner = inner.copy()
                inner[length - before :] += padded[:before]
                inner[:after] += padded[before + length :]
            padded = np.moveaxis(inner, 0, axis)
        return padded


def _seen(length: int, positions: int, size: int, step: int, pads: tuple[int, int], circular: bool) -> int:
    """How many of the pixels of an axis are in a filter at some position: O(length) bytes, none without gaps."""
    (before, after), reach = pads, step * (positions - 1) + size
    if step <= size:
        return min(reach if circular else reach - before, length)
    edges = np.zeros(length + before + after + 1, dtype=np.int8)
    edges[:reach:step] += 1
    edges[size : reach + 1 : step] -= 1
    padded = np.cumsum(edges[:-1], dtype=np.int8)
    inner = padded[before : before + length]
    if circular:
        inner[length - before :] |= padded[:before]
        inner[:after] |= padded[before + length :]
    return int(np.count_nonzero(inner))


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInputError(f"`{name}` must hold whole numbers >= {least}, got {value!r}.")
    return int(value)


def _per_axis(value: Any, axes: int, name: str, least: int) -> tuple[int, ...]:
    """One whole number for each of the spatial axes."""
    if not isinstance(value, tuple | list | np.ndarray):
        return (_whole(value, name, least),) * axes
    if len(value) != axes:
        raise InvalidInputError(f"`{name}` must be one number or one per spatial axis ({axes}), got {value!r}.")
    return tuple(_whole(size, name, least) for size in value)
