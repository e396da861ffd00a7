"""No bound is above the objective of the best network found, to the last bit; benchmarks/soundness.py has more."""

from dataclasses import replace

import pytest
from degenerate import proofs
from degenerate.proofs import is_covered, proof_of
from registry.losses import ELEMENTWISE

import neuralgauge as ng

# Units of columns are wild here on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::neuralgauge.errors.ColumnScaleWarning")

FEW, MANY, BLOCK = 44, 1034, 99


def proofs_of(seeds):
    return [proof for proof in map(proof_of, seeds) if proof is not None]


def false_of(found):
    return [sentence for proof in found for sentence in proof.false]


def test_few_bounds_are_all_true():
    found = proofs_of(filter(is_covered, range(FEW)))
    assert len(found) > FEW / 4
    assert not false_of(found)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FEW, MANY, BLOCK))
def test_bounds_are_all_true(first):
    assert not false_of(proofs_of(filter(is_covered, range(first, first + BLOCK))))


@pytest.mark.slow
def test_bounds_of_several_outputs_are_all_true():
    assert not false_of(proofs_of(seed for seed in range(FEW) if is_covered(seed, several=True)))


def test_every_elementwise_loss_takes_part():
    assert {proofs.case_of(seed).loss for seed in filter(is_covered, range(FEW))} == {*ELEMENTWISE, "log_cosh"}


@pytest.mark.parametrize("words", ["is above", "is checked as"])
def test_false_bounds_are_noticed(words, monkeypatch):
    """One multiplied by a little more than one, and one that is no longer what its multipliers prove."""
    true = ng.prove_bound

    def corrupted(problem, **options):
        bound = true(problem, **options)
        return replace(bound, value=bound.value * (10.0 if words == "is above" else 1.0 - 1e-15))

    monkeypatch.setattr(ng, "prove_bound", corrupted)
    found = proofs_of(filter(is_covered, range(11)))
    assert any(words in sentence for sentence in false_of(found))
