"""`output_range`: the least and the largest output of a network over a box, with proof."""

from __future__ import annotations

from typing import Any

from .._array import Array, as_positive
from ..errors import InvalidInputError, NeuralgaugeError
from .box import NetworkOnBox
from .extremum import Extremum, OutputRange, output_weights
from .maximum import Maximum
from .models import dense_network
from .search import Search


def output_range(
    network: Any,
    lower: Any,
    upper: Any,
    *,
    output: Any = None,
    integer: Any = (),
    constraints: Any = None,
    gap: float = 1e-10,
    time_limit: float | None = None,
) -> OutputRange:
    r"""Return the least and the largest output over a box, with the points where they are attained, and proof.

    .. math:: \min \text{ and } \max \; \sum_j (x^T u_j)_+ \alpha_j + b \quad \text{over } l \le x \le h

    Parameters
    ----------
    network : TwoLayerNetwork, fitted estimator, SavedModel, tuple of arrays, or a network of scikit-learn or PyTorch
        What `certify` takes. An estimator or model file is in the units of its columns and targets; of a classifier
        the outputs are its scores, of the Poisson loss logarithms, of an encoded table the inputs encoded columns.
    lower, upper : float or array of shape (d,)
        The box l <= x <= h, finite; equal where a feature is fixed.
    output : int or array of shape (c,), optional
        Which of c > 1 outputs, or weights of them: ``[1, -1]`` is the margin of the first over the second.
    integer : sequence of int or array of bool, shape (d,)
        Features that take whole numbers only.
    constraints : scipy.optimize.LinearConstraint or list of them, optional
        Further constraints lb <= A x <= ub on the inputs, kept to 1e-9 of the largest |A x| over the box.
    gap : float, default=1e-10
        Allowed difference of value and bound, relative to sum_j |alpha_j| max |x^T u_j|.
    time_limit : float, optional
        Seconds for both together.

    Returns
    -------
    OutputRange
        `minimum` and `maximum`, each an `Extremum`. `value` is attained: it is what the network predicts at `point`. No
        prediction in the box passes `bound`, rounding included, whatever the linear programs' accuracy. Both are equal
        to `gap` unless time was over; then they are further apart, and hold all the same.

    Raises
    ------
    InvalidInputError
        For a box that is empty or not finite, another number of features, a convolutional network, an output that
        there is not, or constraints that no point keeps.
    NeuralgaugeError
        If the time was over before any point was found that keeps the constraints.

    Notes
    -----
    Branch and bound over the neurons that change sign over the box and bend the output the wrong way, up for a maximum:
    the others are linear, or concave and exact in a linear program, and those not yet split lie below their concave
    envelopes (Anderson, Huchette, Ma, Tjandraatmadja & Vielma, 2020). Bounds are values of Lagrange functions at the
    multipliers that the programs end with. Without neurons of the wrong kind one program is enough. At worst there
    are 2^k parts for k of them.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, 2.0])  # (x)_+ + 2 (-x)_+
    >>> found = ng.output_range(network, -3.0, 4.0)
    >>> found.minimum.value, found.maximum.value, found.maximum.point.tolist()
    (0.0, 6.0, [-3.0])
    """
    box = NetworkOnBox.of(dense_network(network), lower, upper, integer)
    weights = output_weights(output, box.network.n_outputs)
    share = None if time_limit is None else 0.5 * as_positive(time_limit, "time_limit")
    found = [_extremum(box, sign * weights, constraints, as_positive(gap, "gap"), share) for sign in (-1.0, 1.0)]
    return OutputRange(found[0].negated(), found[1])


def _extremum(box: NetworkOnBox, weights: Array, constraints: Any, gap: float, time_limit: float | None) -> Extremum:
    """The largest value of the outputs by these weights."""
    search = Search(time_limit)
    problem = Maximum(box, weights, box.rows(constraints), search)
    search.tolerance = gap * problem.range
    bound = search.run([problem.root()], problem.split)
    if search.point is None and search.is_over:
        raise NeuralgaugeError("No point that keeps the constraints was found in time; allow a larger `time_limit`.")
    if search.point is None:
        raise InvalidInputError("`constraints` must leave some point of the box, got constraints that no point keeps.")
    return Extremum(search.value, search.point, bound, search.nodes, search.seconds)
