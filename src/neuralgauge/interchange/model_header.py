"""The header of a model file: its fields, their types and ranges, checked before anything is built from it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert

from ..preparation.encoding import ColumnCode

FORMAT_NAME = "neuralgauge"
FORMAT_VERSION = 6  # its networks may obey constraints
# Version 5: tables may have columns that are encoded.
# From version 4 on certificates state what is proven.
# Version 3 had convolutional networks, version 2 dense ones.
# Version 1: one output without offset, and losses without parameters.
FIRST_LOSSES = ("squared", "logistic", "hinge")

MOST_HEADER_BYTES = 2**21  # of a header, 2 MiB: the names of some 100,000 columns
MOST_PIXELS = 2**26  # of one image, padding and channels counted: half a GiB of numbers
LARGEST_NUMBER = sys.float_info.max

# No range holds NaN.
Finite = Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Positive = Annotated[float, Meta(gt=0.0, le=LARGEST_NUMBER)]
BelowInfinity = Annotated[float, Meta(le=LARGEST_NUMBER)]
Whole = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Size = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Version(Struct, frozen=True):
    """The fields that the headers of all versions have."""

    format: Literal["neuralgauge"]
    format_version: Size


class StatedBounds(Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate; minus infinity is the bound of one that has none. Before version 4 nothing is `proven`."""

    upper: Finite
    lower: BelowInfinity
    scope: Literal["exact", "bounded", "estimated", "patterns"]
    proven: BelowInfinity | None = None


class GeometryRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of `PatchGeometry`, a number for each axis."""

    shape: Annotated[tuple[Size, ...], Meta(min_length=2, max_length=3)]
    filter_size: tuple[Size, ...]
    stride: tuple[Size, ...]
    padding: tuple[Whole, ...] | Literal["same"]
    padding_mode: Literal["zeros", "circular"]

    def __post_init__(self) -> None:
        *lengths, channels = self.shape
        pads = self.filter_size if self.padding == "same" else [2 * size for size in self.padding]
        pixels = channels * math.prod(length + pad for length, pad in zip(lengths, pads, strict=False))
        if pixels > MOST_PIXELS:
            raise ValueError(f"Expected images of at most {MOST_PIXELS} numbers, padding included, got {pixels}")


class LinearConvRecord(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear_conv"):
    """All of a `LinearConvNetwork` but its weights."""

    geometry: GeometryRecord


class ReLUConvRecord(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="relu_conv"):
    """All of a `ReLUConvNetwork` but its weights."""

    geometry: GeometryRecord
    readout: tuple[Size, ...] | Literal["pooled", "flattened", "separable"]


ConvRecord = LinearConvRecord | ReLUConvRecord


class ConstraintsRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The constraints that a network was trained under, by position of columns."""

    monotonic_cst: tuple[Literal[-1, 0, 1], ...] | None
    convexity: Literal["convex", "concave"] | None
    positive: bool


class Header(Version, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a model but its arrays. From version 3 on it has a `network` if that is a convolutional one."""

    package_version: str
    task: Literal["regression", "classification"]
    loss: str
    loss_parameters: dict[str, Finite] | None
    beta: Positive
    bias: bool
    offset: bool
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    classes: tuple[str | bool | int | float, ...]
    multi_class: Literal["joint", "one_vs_rest"]
    certificate: StatedBounds
    network: ConvRecord | None = None
    encoding: tuple[ColumnCode, ...] = ()
    constraints: ConstraintsRecord | None = None

    def __post_init__(self) -> None:
        version = self.format_version
        if version < 4 and (self.network is None) != (version < 3):
            raise ValueError(f"Expected a convolutional network in version 3 and later alone, got version {version}")
        if self.encoding and version < 5:
            raise ValueError(f"Expected an encoding of columns in version 5 and later alone, got version {version}")
        if self.constraints is not None and version < 6:
            raise ValueError(f"Expected constraints in version 6 and later alone, got version {version}")
        if (self.certificate.proven is None) != (version < 4):
            raise ValueError(f"Expected a proven bound in version 4 and later alone, got version {version}")


def header_text(fields: Mapping[str, Any]) -> str:
    """The fields as JSON, keys in order."""
    return json.dumps(fields, sort_keys=True)


def fields_of(text: str) -> dict[str, Any]:
    """The fields of a header of any version; a ValueError if the text is none.

    Examples
    --------
    >>> fields_of('{"format": "neuralgauge", "format_version": 5, "more": 1}')["format_version"]
    5
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        convert(fields, Version)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return fields


def header_of(fields: Mapping[str, Any]) -> Header:
    """The header of these fields, in the present version; a ValueError names the field that has no place in it.

    Examples
    --------
    >>> header_of({"format": "neuralgauge", "format_version": 2, "package_version": None})
    Traceback (most recent call last):
        ...
    msgspec.ValidationError: Expected `str`, got `null` - at `$.package_version`
    """
    if fields["format_version"] == 1:
        fields = {"target_name": None, **fields}
        target, loss = fields.pop("target_name"), fields.get("loss")
        later: dict[str, Any] = {
            "loss_parameters": {} if loss in FIRST_LOSSES else None,
            "target_names": [] if target is None else [target],
            "multi_class": "joint",
            "offset": False,
        }
        fields = {**fields, **later}
    header = convert(dict(fields), Header)
    # JSON can spell half a surrogate pair, which nothing could print.
    json.dumps(fields, ensure_ascii=False).encode()
    return header
