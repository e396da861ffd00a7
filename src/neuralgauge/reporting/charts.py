"""Charts as the page draws them: scales, and marks that are paths of SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from .._array import Array
from .scales import Scale

LARGE, SMALL = (400.0, 250.0), (310.0, 200.0)  # pixels of a chart before it is fitted into the page, two or three a row
TOP, BOTTOM, RIGHT = 26.0, 40.0, 14.0  # margins for the name of the vertical axis, for ticks and the other name
CHARACTER, LETTER = 6.6, 8.5  # pixels of a digit of a tick, and of a letter of a name, some wide ones among them


class Mark(NamedTuple):
    """A path in the pixels of its chart, the class that the style sheet knows, and what the legend calls it."""

    d: str
    look: str
    name: str = ""


@dataclass
class Chart:
    """Marks over two scales.

    Attributes
    ----------
    title : str
        The heading, which is also what a screen reader says of the picture, before `description`.
    labels : tuple of str
        Names of the horizontal and of the vertical axis.
    description : str
        What the picture shows, in a sentence.
    """

    title: str
    labels: tuple[str, str]
    x: Scale
    y: Scale
    description: str = ""
    marks: list[Mark] = field(default_factory=list)
    size: tuple[float, float] = LARGE

    @classmethod
    def of(
        cls,
        title: str,
        labels: tuple[str, str],
        x: Any,
        y: Any,
        *,
        log: tuple[bool, bool] = (False, False),
        description: str = "",
        size: tuple[float, float] = LARGE,
    ) -> Chart:
        """A chart on which all these values of x and y are seen."""
        vertical = Scale.over(y, size[1] - BOTTOM, TOP, log=log[1])
        left = 14.0 + CHARACTER * max((len(label) for _, label in vertical.ticks), default=1)
        horizontal = Scale.over(x, left, size[0] - RIGHT, log=log[0], margin=0.02)
        most = int(size[0] / LETTER)
        across, up = (label if len(label) <= most else f"{label[: most - 1]}…" for label in labels)
        return cls(title, (across, up), horizontal, vertical, description, size=size)

    @property
    def legend(self) -> list[Mark]:
        """The marks that have a name, each name once."""
        return list({mark.name: mark for mark in reversed(self.marks) if mark.name}.values())[::-1]

    @property
    def legible_ticks(self) -> list[tuple[float, str]]:
        """Those of the horizontal axis, every second or third one where their labels would touch."""
        ticks = self.x.ticks
        widest = 12.0 + CHARACTER * max((len(label) for _, label in ticks), default=1)
        room = (self.x.stop - self.x.start) / widest
        return ticks[:: max(1, math.ceil(len(ticks) / max(room, 1.0)))]

    def line(self, x: Any, y: Any, look: str, name: str = "", *, steps: bool = False) -> Self:
        """A line through points, broken where one is not finite; with `steps` level until the next."""
        pieces, pen = [], "M"
        for across, up in zip(self.x(x).tolist(), self.y(y).tolist(), strict=True):
            if not (math.isfinite(across) and math.isfinite(up)):
                pen = "M"
                continue
            level = f"H{across:.1f}" if steps and pen == "L" else ""
            pieces.append(f"{level}{pen}{across:.1f} {up:.1f}")
            pen = "L"
        return self._with("".join(pieces), look, name)

    def band(self, x: Array, low: Array, high: Array, look: str, name: str = "", *, steps: bool = False) -> Self:
        """What lies between two lines, or between two of steps."""
        if steps:
            x, low, high = np.repeat(x, 2)[1:], np.repeat(low, 2)[:-1], np.repeat(high, 2)[:-1]
        across = np.concatenate([self.x(x), self.x(x)[::-1]])
        up = np.concatenate([self.y(low), self.y(high)[::-1]])
        known = np.isfinite(across) & np.isfinite(up)
        points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across[known], up[known], strict=True))
        return self._with(f"M{points}Z" if points else "", look, name)

    def dots(self, x: Any, y: Any, look: str, name: str = "") -> Self:
        """A point each, as lines of no length, which round ends make discs."""
        pixels = np.column_stack([self.x(x), self.y(y)])
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        return self._with("".join(f"M{across:.1f} {up:.1f}h0" for across, up in pixels.tolist()), look, name)

    def bars(self, edges: Array, heights: Array, look: str, name: str = "") -> Self:
        """A histogram, from the lower end of the vertical scale."""
        across, up, foot = self.x(edges), self.y(heights), self.y.start
        pieces = [
            f"M{across[k] + 0.5:.1f} {foot:.1f}V{up[k]:.1f}H{across[k + 1] - 0.5:.1f}V{foot:.1f}Z"
            for k in range(len(heights))
            if heights[k] > 0
        ]
        return self._with("".join(pieces), look, name)

    def rug(self, x: Array, look: str = "rug") -> Self:
        """A short stroke on the horizontal axis for each value."""
        foot = self.y.start
        return self._with("".join(f"M{across:.1f} {foot:.1f}v-7" for across in self.x(x).tolist()), look, "")

    def vertical(self, value: float, look: str, name: str = "") -> Self:
        """A line from bottom to top."""
        return self._with(f"M{self.x([value])[0]:.1f} {self.y.start:.1f}V{self.y.stop:.1f}", look, name)

    def level(self, value: float, look: str, name: str = "") -> Self:
        """A line from side to side."""
        return self._with(f"M{self.x.start:.1f} {self.y([value])[0]:.1f}H{self.x.stop:.1f}", look, name)

    def _with(self, d: str, look: str, name: str) -> Self:
        if d:
            self.marks.append(Mark(d, look, name))
        return self


def sparkline(counts: Sequence[int], width: float = 96.0, height: float = 22.0) -> str:
    """The path of a histogram without axes, in a box of this size.

    Examples
    --------
    >>> sparkline([1, 2], 20.0, 10.0)
    'M0.0 10V5.0H9.0V10ZM10.0 10V0.0H19.0V10Z'
    """
    step, most = width / max(len(counts), 1), max([*counts, 1])
    return "".join(
        f"M{k * step:.1f} {height:g}V{height * (1.0 - count / most):.1f}H{(k + 1) * step - 1.0:.1f}V{height:g}Z"
        for k, count in enumerate(counts)
        if count
    )
