"""Certificates in words: what is called proven is, whatever the scope, and no word is said that the numbers do not."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from neuralgauge.certificate import Certificate
from neuralgauge.interchange import StatedCertificate
from neuralgauge.quoting import rounded_down, rounded_up
from neuralgauge.wording import WHAT_IS_BETTER


def words(*arguments, **fields):
    text = Certificate(*arguments, **fields).in_words()
    assert text.endswith(WHAT_IS_BETTER)
    return text.removesuffix(f" {WHAT_IS_BETTER}")


@pytest.mark.parametrize("scope", ["exact", "bounded"])
def test_a_proof(scope):
    assert words(1000.0, 997.0, scope) == (
        "No network of any size can be more than 0.3 % better on these rows (proven)."
    )
    assert words(1000.0, 1000.0, scope) == (
        "No network of any size can be better on these rows by more than rounding (proven)."
    )


@pytest.mark.parametrize(
    ("lower", "fields", "expected"),
    [
        (999.875, {"starts": 64}, ["no network that is more than 0.013 % better on these rows; that is not a proof."]),
        (999.875, {"starts": 64, "unseen": 60}, ["not a proof, and the search was too short to say much."]),
        (999.875, {}, ["not a proof, and the search was too short to say much."]),
        (
            999.9,
            {"starts": 64, "proven": 880.0},
            ["that is not a proof. No network of any size can be more than 12 % better on these rows (proven)."],
        ),
        (1000.0, {"starts": 9}, ["A search found no network that is better on these rows by more than rounding;"]),
        (-12.346, {"starts": 9}, ["that has a training objective below -12.35 on these rows, where this one has 1000"]),
    ],
)
def test_an_estimate(lower, fields, expected):
    text = words(1000.0, lower, "estimated", **fields)
    assert text.startswith("A search found no network that ")
    for part in expected:
        assert part in text
    assert ("(proven)" in text) == ("proven" in fields)


def test_given_patterns():
    text = words(10.0, 9.0, "patterns")
    assert text == (
        "No network with these activation patterns can be more than 10 % better on these rows (proven); other networks "
        "may."
    )
    assert words(10.0, 9.0, "patterns", proven=8.0) == (
        f"{text} No network of any size can be more than 20 % better on these rows (proven)."
    )


def test_outputs_trained_apart():
    restricted = " whose neurons serve one output each "
    for scope in ("exact", "patterns", "estimated"):
        assert restricted in words(10.0, 9.0, scope, separate=True)
        assert restricted not in words(10.0, 9.0, scope)
    assert words(10.0, 9.0, "exact", separate=True).endswith("better on these rows (proven); other networks may.")
    both = words(10.0, 9.0, "estimated", separate=True, proven=5.0, starts=9)
    assert both.count(restricted) == 2


def test_bounds_that_leave_all_open():
    assert words(0.0, -2.0, "exact") == (
        "No network of any size can have a training objective below -2 on these rows, where this one has 0 (proven)."
    )
    assert "below 0 on these rows, where this one has 5 (proven)" in words(5.0, 0.0, "bounded")
    assert "proven" not in words(5.0, 4.0, "estimated", proven=0.0, starts=9)
    nothing = Certificate(5.0, -math.inf, "estimated").in_words()
    assert nothing == "Nothing is known about how much better another network can be: there is no lower bound."
    for upper, lower in ((math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0), (math.inf, math.inf)):
        assert "nothing is known of better networks" in Certificate(upper, lower, "exact").in_words()
    for lower in (1.1, math.inf):
        assert "one of the two is wrong" in Certificate(1.0, lower, "exact").in_words()


def test_percentages_are_never_below_the_gap():
    """In exact arithmetic, objectives of either sign; more than one unit of the second digit is not given away."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        upper = float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-9.0, 9.0))
        lower = upper - abs(upper) * float(10.0 ** rng.uniform(-12.0, -0.01))
        percent = Fraction(re.search(r"more than ([\d.]+) %", words(upper, lower, "exact"))[1])
        gap = 100 * (Fraction(upper) - Fraction(lower)) / abs(Fraction(upper))
        assert percent >= gap
        assert percent <= max(gap * Fraction(11, 10), Fraction(1, 1000))


def test_rounding():
    for value in (0.1, -0.1, 123456.0, -3e-7, 0.0, 2.5e300):
        assert Fraction(rounded_down(value, 3)) <= Fraction(value) <= Fraction(rounded_up(value, 3))
        assert "e" not in rounded_up(value).lower()


def test_files_state_their_certificates():
    text = StatedCertificate(10.0, 9.0, "estimated").in_words()
    assert text.startswith("As the model file states, not checked against data: A search found no network that is ")
    assert "too short" not in text
