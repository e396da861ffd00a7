"""Parameters of estimators: each is declared and documented in one class, and inherited."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc, get_annotations
from typing import TypeVar, dataclass_transform, get_type_hints

from .typed_bases import BaseEstimator

# What stands between two entries of each section of a docstring, in numpydoc's order of sections.
SECTIONS = {"Parameters": "\n", "Attributes": "\n", "Raises": "\n", "Warns": "\n", "Notes": "\n\n", "Examples": "\n\n"}


@dataclass_transform(kw_only_default=True, eq_default=False)
class Parametrised(BaseEstimator):
    """Base of classes in whose bodies annotations are parameters, as those of a dataclass are fields."""


Estimator = TypeVar("Estimator", bound=Parametrised)


def estimator(cls: type[Estimator]) -> type[Estimator]:
    """Decorate a class for use: give it `__init__` with the parameters of all its bases, and their documentation.

    A parameter is a public name that a class derived from `Parametrised` annotates in its body; its default is the
    class attribute. scikit-learn, `inspect.signature` and type checkers read it from the signature of `__init__`. The
    sections of the bases' docstrings are added to that of the class. Where two classes declare or document one name,
    the first in the method resolution order counts.

    Examples
    --------
    >>> class Penalised(Parametrised):
    ...     '''A penalty.
    ...
    ...     Parameters
    ...     ----------
    ...     beta : float, default=1.0
    ...         Penalty, > 0.
    ...     '''
    ...
    ...     beta: float = 1.0
    >>> @estimator
    ... class Model(Penalised):
    ...     '''A model.'''
    >>> Model(beta=2.0)
    Model(beta=2.0)
    >>> print(Model.__doc__)
    A model.
    <BLANKLINE>
    Parameters
    ----------
    beta : float, default=1.0
        Penalty, > 0.
    """
    names = [name for base in _declaring(cls) for name in get_annotations(base) if not name.startswith("_")]
    hints = get_type_hints(cls)
    cls.__doc__ = _whole_docstring(cls, names)
    cls.__annotations__ = {name: hints[name] for name in names}
    return dataclass(kw_only=True, eq=False, repr=False, match_args=False)(cls)


def _declaring(cls: type) -> Iterator[type]:
    return (base for base in cls.__mro__ if issubclass(base, Parametrised))


def _whole_docstring(cls: type, parameters: list[str]) -> str:
    """The docstring with the sections of all bases, and with an entry for each parameter; a KeyError without one."""
    summary, *_ = _parts(cls)
    entries: dict[str, dict[str, str]] = defaultdict(dict)
    for base in _declaring(cls):
        _, *found = _parts(base)
        for title, text in zip(found[::2], found[1::2], strict=True):
            for entry in re.split(SECTIONS[title] + r"(?=\S)", text.strip()):
                name = entry.splitlines()[0].partition(" : ")[0]
                entries[title].setdefault(name, entry)
    entries["Parameters"] = {name: entries["Parameters"][name] for name in parameters}
    sections = [
        f"{title}\n{'-' * len(title)}\n{between.join(entries[title].values())}"
        for title, between in SECTIONS.items()
        if title in entries
    ]
    return "\n\n".join([summary.strip(), *sections])


def _parts(cls: type) -> list[str]:
    """The docstring as the class has it: what comes first, and each section's title and text."""
    return re.split(r"^(\w+)\n-{3,}\n", cleandoc(cls.__doc__ or ""), flags=re.MULTILINE)
