"""The axes to draw on: those that were given, or those of a new figure of Matplotlib, imported on first use."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInputError, MissingDependencyError

POSITIVE, NEGATIVE = "#b2182b", "#2166ac"  # the ends of "RdBu_r"
BELOW = 40.0  # points from axes down to where their ticks and label have ended, of Matplotlib's sizes
CHARACTERS = 70  # of a legend's row in 6 inches of small print


def pyplot(function: str) -> Any:
    """Return `matplotlib.pyplot`; the error where it is missing names the caller and the extra."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingDependencyError(
            f'`{function}` needs Matplotlib, which is not installed; `pip install "neuralgauge[plots]"`.'
        ) from error
    return plt


def place_of(axes: Any, function: str, size: tuple[float, float] = (6.0, 4.0)) -> Any:
    """Return the axes that were given, or those of a new figure; called after all other checks of the arguments."""
    if axes is not None and not hasattr(axes, "add_collection"):
        raise InvalidInputError(
            f"`axes` must be one matplotlib Axes, got {type(axes).__name__}; pass one of those that "
            "`matplotlib.pyplot.subplots` returns."
        )
    plt = pyplot(function)
    return plt.subplots(figsize=size, layout="constrained")[1] if axes is None else axes


def choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """Return the value, which must be one of the words allowed."""
    if value not in allowed:
        raise InvalidInputError(f"`{name}` must be one of {', '.join(map(repr, allowed))}, got {value!r}.")
    return str(value)


def add_legend(place: Any, axes: Any, *, above: bool = False) -> None:
    """Name what is drawn: in a figure of its own outside of the axes, in `axes` that were given where most is free.

    Outside nothing is covered, and the layout makes room; of a figure that was given the layout is its owner's.
    """
    from matplotlib.transforms import ScaledTranslation

    labels = place.get_legend_handles_labels()[1]
    if not labels:
        return
    if axes is not None:
        place.legend(loc="best", framealpha=0.9)
        return
    columns = max(1, min(len(labels), CHARACTERS // (max(map(len, labels)) + 6)))
    down = ScaledTranslation(0.0, (4.0 if above else -BELOW) / 72.0, place.figure.dpi_scale_trans)
    place.legend(
        loc="lower center" if above else "upper center",
        bbox_to_anchor=(0.5, 1.0 if above else 0.0),
        bbox_transform=place.transAxes + down,
        ncols=columns,
        frameon=False,
        fontsize="small",
        borderaxespad=0.0,
    )
