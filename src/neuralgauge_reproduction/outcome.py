"""What an experiment finds: methods side by side, what is drawn, and the paper's claims checked one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array


@dataclass(frozen=True)
class Method:
    """One method on one problem: a line of the numbers.

    Attributes
    ----------
    name : str
        As the paper calls it.
    objectives : tuple of float
        Of [2] for the networks returned, evaluated on their own outputs; one a trial.
    seconds : float
        Wall-clock time of all trials together.
    scores : tuple of float
        Test accuracy or test error, one a trial; empty where nothing is tested.
    lower, scope : float and str
        A lower bound on the optimum and what it covers, for methods that give one.
    n_neurons : int or None
    note : str
        What a reader must know to compare it.
    times : tuple of float
        Seconds of each trial; empty where the trials ran together.
    """

    name: str
    objectives: tuple[float, ...]
    seconds: float
    scores: tuple[float, ...] = ()
    lower: float | None = None
    scope: str | None = None
    n_neurons: int | None = None
    note: str = ""
    times: tuple[float, ...] = ()

    @classmethod
    def of_solution(cls, name: str, solution: ng.Solution[Any], objective: float, **more: Any) -> Method:
        """The method behind a solution, with the objective of its network."""
        certificate = solution.certificate
        return cls(
            name,
            (objective,),
            solution.seconds,
            lower=certificate.lower,
            scope=certificate.scope,
            n_neurons=solution.network.n_neurons,
            **more,
        )

    @property
    def best(self) -> float:
        """The lowest objective of its trials."""
        return min(self.objectives)

    @property
    def score(self) -> float | None:
        """Mean score of its trials."""
        return float(np.mean(self.scores)) if self.scores else None


@dataclass(frozen=True)
class Check:
    """One claim of the paper against what was found here.

    Attributes
    ----------
    place : str
        Where the paper says it: figure, section or equation.
    claim : str
        In one sentence.
    paper, ours : str
        The paper's number and this run's.
    agrees : bool or None
        None where nothing could be compared.
    why : str
        Why they agree, differ or could not be compared.
    """

    place: str
    claim: str
    paper: str
    ours: str
    agrees: bool | None
    why: str


@dataclass(frozen=True)
class Curve:
    """A line or a row of points of a panel, over numbers or names; `kind` names its look."""

    label: str
    x: Sequence[float | str]
    y: Sequence[float]
    kind: str = "trial"


@dataclass(frozen=True)
class Panel:
    """Axes with curves, and horizontal lines for methods without iterations and for lower bounds."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...] = ()
    levels: tuple[tuple[str, float, str], ...] = ()  # label, value, kind
    log: tuple[bool, bool] = (False, False)
    square: bool = False  # one unit of length for both axes


@dataclass(frozen=True)
class Plane:
    """Axes with the decision boundary of a network over two features; not part of the numbers."""

    title: str
    network: Any
    X: Array
    y: Array


@dataclass(frozen=True)
class Matrix:
    """A matrix of numbers from 0 to `most`, drawn as an image."""

    title: str
    x_label: str
    y_label: str
    values: Array
    most: float


@dataclass(frozen=True)
class Grid:
    """A table of text beside the methods."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Outcome:
    """Everything that is written about one experiment.

    Attributes
    ----------
    title : str
    settings : dict
        Sizes, losses and constants as run.
    choices : tuple of str
        Sentences about what the paper leaves open and what was chosen.
    methods : dict of str to tuple of Method
        By problem (the widths of Fig. 2, for instance).
    checks : tuple of Check
    panels : tuple of Panel, Plane or Matrix
    missing : tuple of str
        Sentences about parts that did not run, with the remedy.
    score : str
        What the scores of the methods are.
    grids : tuple of Grid
    stand_in : str
        What took the place of the paper's data, and of which.
    kept : dict
        What later experiments read; not written.
    """

    title: str
    settings: dict[str, Any]
    choices: tuple[str, ...] = ()
    methods: dict[str, tuple[Method, ...]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    panels: tuple[Panel | Plane | Matrix, ...] = ()
    missing: tuple[str, ...] = ()
    score: str = ""
    grids: tuple[Grid, ...] = ()
    stand_in: str = ""
    kept: dict[str, Any] = field(default_factory=dict)

    def numbers(self) -> dict[str, Any]:
        """All but the pictures of planes, as plain values for JSON."""
        return {
            "title": self.title,
            "settings": plain(self.settings),
            "choices": list(self.choices),
            "stand_in": self.stand_in,
            "score": self.score,
            "methods": {problem: [plain(_fields(one)) for one in methods] for problem, methods in self.methods.items()},
            "checks": [plain(_fields(check)) for check in self.checks],
            "panels": [
                {**plain(_fields(panel)), "curves": [plain(_fields(one)) for one in getattr(panel, "curves", ())]}
                for panel in self.panels
                if not isinstance(panel, Plane)
            ],
            "grids": [plain(_fields(grid)) for grid in self.grids],
            "missing": list(self.missing),
        }


def _fields(part: Any) -> dict[str, Any]:
    return {one.name: getattr(part, one.name) for one in fields(part) if one.name != "curves"}


def plain(value: Any) -> Any:
    """Arrays and NumPy scalars as Python values; numbers that are not finite become None, which JSON requires."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | range):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
