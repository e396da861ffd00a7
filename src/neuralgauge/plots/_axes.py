"""Where pictures go: Matplotlib, imported when one is drawn, and a figure for those who bring none."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInputError, MissingDependencyError

POSITIVE, NEGATIVE = "#b2182b", "#2166ac"  # the ends of "RdBu_r"


def pyplot(function: str) -> Any:
    """`matplotlib.pyplot`, or an error that names the caller and the extra."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingDependencyError(
            f'`{function}` needs Matplotlib, which is not installed; `pip install "neuralgauge[plots]"`.'
        ) from error
    return plt


def place_of(axes: Any, function: str, size: tuple[float, float] = (6.0, 4.0)) -> Any:
    """The axes that were given, or those of a new figure. Call it when nothing can be refused any more."""
    plt = pyplot(function)
    if axes is None:
        return plt.subplots(figsize=size, layout="constrained")[1]
    check_axes(axes)
    return axes


def check_axes(axes: Any) -> None:
    """One Axes, or nothing."""
    if axes is not None and not hasattr(axes, "add_collection"):
        raise InvalidInputError(
            f"`axes` must be one matplotlib Axes, got {type(axes).__name__}; pass one of those that "
            "`matplotlib.pyplot.subplots` returns."
        )


def wrong_kind(name: str, allowed: str, given: Any, *attributes: str) -> InvalidInputError:
    """The error for an argument of another type, with the attribute of it that would do."""
    held = [attribute for attribute in attributes if hasattr(given, attribute)]
    remedy = f"; pass its `{held[0]}`" if held else ""
    return InvalidInputError(f"`{name}` must be {allowed}, got {type(given).__name__}{remedy}.")


def choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """One of the words."""
    if value not in allowed:
        raise InvalidInputError(f"`{name}` must be one of {', '.join(map(repr, allowed))}, got {value!r}.")
    return str(value)
