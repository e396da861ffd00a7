"""The axes to draw on: those that were given, or those of a new figure of Matplotlib, imported on first use."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInputError, MissingDependencyError

POSITIVE, NEGATIVE = "#b2182b", "#2166ac"  # the ends of "RdBu_r"


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
