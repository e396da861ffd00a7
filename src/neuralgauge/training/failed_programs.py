"""What the rounds remember of convex programs that were not solved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from ..programs.block import BlockProgram
from ..solvers.solution import Status

MOST_FAILURES = 3  # failures in a row after which a run ends
SAME_DIRECTION = 1e4  # 1 / the difference of output directions below which blocks count as one


class FailedPrograms:
    """The programs of one run that failed, and how the last ones in a row did."""

    def __init__(self) -> None:
        self._known: dict[bytes, Status] = {}
        self._row: list[Status] = []

    def known(self, program: BlockProgram) -> Status | None:
        """How a program over the same blocks has failed before, if one has."""
        return self._known.get(_key(program))

    def note(self, program: BlockProgram, status: Status) -> None:
        """Remember one more failure."""
        self._known[_key(program)] = status
        self._row.append(status)

    def forgive(self) -> None:
        """A program was solved: the row of failures is over."""
        self._row.clear()

    @property
    def verdict(self) -> Status | None:
        """How the run ends after too many failures in a row; None before."""
        if len(self._row) < MOST_FAILURES:
            return None
        return Status.DIVERGED if set(self._row) == {Status.DIVERGED} else Status.PROGRAM_FAILED


def block_keys(gates: BoolArray, directions: Array) -> npt.NDArray[np.uint8]:
    """A row of bytes for each block, equal where pattern and direction are."""
    rounded = np.rint(SAME_DIRECTION * directions).astype(np.int16).view(np.uint8)
    return np.column_stack([np.packbits(gates, axis=1), rounded])


def _key(program: BlockProgram) -> bytes:
    """The blocks, whatever their order."""
    return np.unique(block_keys(program.gates, program.directions), axis=0).tobytes()
