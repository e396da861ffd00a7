"""Full or quick: what an experiment is allowed, and where its data comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .registry import Data, load

T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """Settings shared by all experiments of a run.

    Attributes
    ----------
    quick : bool
        Smaller sizes, and without a `folder` stand-ins for every data set that scikit-learn does not ship.
    folder : Path or None
        Of the user's data sets.
    unverified : bool
        Whether sets with another checksum are taken.
    """

    quick: bool = False
    folder: Path | None = None
    unverified: bool = False

    def pick(self, quick: T, full: T) -> T:
        """One of two settings."""
        return quick if self.quick else full

    @property
    def stands_in(self) -> bool:
        """Whether stand-ins take the place of the data sets."""
        return self.quick and self.folder is None

    def in_place_of(self, name: str, data: Data) -> str:
        """That the data stand in for a set, or nothing."""
        return f"{data.origin}, in place of {name}" if self.stands_in else ""

    def data(self, name: str) -> Data:
        """A data set of the registry."""
        return load(name, self.folder, unverified=self.unverified)
