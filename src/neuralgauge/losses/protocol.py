r"""The protocol of losses: a convex function of outputs f and targets y, summed over the samples by the problem.

Each loss knows what the theory needs: its value, its derivatives in f, and its conjugate
:math:`\ell^*(g) = \sup_f g f - \ell(f, y)` with the interval of g where that is finite. The dual bound of the paper
[15] is :math:`-\sum_i s_i \ell^*(-v_i / s_i)`, s_i the weight of the sample.

**A loss of your own** is an object with the members of `Loss`, passed as ``TrainingProblem(loss=...)``; nothing has
to be registered. Nothing is checked either: a certificate is as true as `conjugate` and `domain` are. The inequality of
Fenchel and Young, value(f) + conjugate(g) >= g f with equality at g = gradient(f), is the test for mistakes.

- It must be convex, finite for every f, and >= 0 (gaps are relative to it).
- The interior point takes Newton steps, so a smooth loss has a `hessian` (`SmoothLoss`), positive where the loss is not
  flat. One with kinks or affine stretches has `pieces` (`PiecewiseLoss`), and is solved through its epigraph, exactly.
- The rounding of the conjugate must stay within some 10 eps of :math:`|\ell^*(g)| + |g y| + g^2`, for the lower bounds
  to hold in floating point: write log1p and expm1 where a difference of nearly equal numbers would lose its digits.
- A loss that couples the outputs of a sample states which rows g are dual points (`CoupledLoss`), and, for problems
  with an output offset, which of them have vanishing sums (`BalancedLoss`). Without that it is refused.
- Where rounding leaves a dual point outside the domain, or its sums off 0, the conjugate at the nearest point inside is
  taken to differ by at most :math:`745 + |y| + |g|` times the distance: the slopes of logarithms and squares.

`docs/losses.md` has a complete example.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, runtime_checkable

from .._array import Array

Targets = Literal["real", "sign", "count", "simplex"]


class Loss(Protocol):
    """A convex loss of arrays f and y of one shape, (n,) or (n, c).

    Elementwise losses (`coupled` False) return arrays of that shape. A coupled loss sees the c outputs of a sample at
    once: `value` and `conjugate` are (n,), the rest (n, c). Besides these members a loss has those of `SmoothLoss`, of
    `PiecewiseLoss`, or both.
    """

    @property
    def name(self) -> str:
        """Name under which `TrainingProblem(loss=...)` finds it."""

    @property
    def targets(self) -> Targets:
        """The targets y it takes: any real number; -1 and +1; any number >= 0; rows >= 0 that sum to one."""

    @property
    def coupled(self) -> bool:
        """Whether the outputs of one sample share a loss; elementwise otherwise."""

    def value(self, f: Array, y: Array) -> Array:
        """ell(f, y) >= 0."""

    def gradient(self, f: Array, y: Array) -> Array:
        """Derivative in f (any subgradient at a kink)."""

    def conjugate(self, g: Array, y: Array) -> Array:
        """ell*(g) for g inside `domain`; the caller clips g to it first."""

    def domain(self, y: Array) -> tuple[Array, Array]:
        """Closed interval of g, entry by entry, outside which the conjugate is infinite."""


@runtime_checkable
class SmoothLoss(Loss, Protocol):
    """A loss with a second derivative, which Newton steps take."""

    def hessian(self, f: Array, y: Array) -> Array:
        """Second derivative in f, of f's shape; 0 where it does not exist. Of a coupled loss (n, c, c)."""


@runtime_checkable
class CoupledLoss(SmoothLoss, Protocol):
    """A coupled loss, with the root that Newton systems need and the projection of dual points onto its domain.

    The domain of a coupled loss is a convex set of rows g that `domain`, an interval for each entry, only encloses.
    """

    def hessian_root(self, f: Array, y: Array) -> Array:
        """R of shape (n, c, c) with R R^T = `hessian`."""

    def project(self, g: Array, y: Array) -> Array:
        """Rows near g, inside the box of `domain`, at which the conjugate is finite, up to rounding."""

    def outside(self, g: Array, y: Array) -> Array:
        """(n,) upper bounds on the l1 distance from each row of g to the domain: 0 inside, what rounds g included."""


@runtime_checkable
class BalancedLoss(CoupledLoss, Protocol):
    """A coupled loss that can have an output offset: its dual points then have weighted sums sum_i s_i g_i = 0."""

    def project_balanced(self, g: Array, y: Array, weight: Array) -> Array:
        """`project`, with weighted sums that vanish up to rounding, for weights s (n,)."""

    def outside_balanced(self, g: Array, y: Array, weight: Array) -> float:
        """Upper bound on the weighted l1 distance sum_i s_i |g_i - g'_i| to such a point g'."""

    def best_constant(self, y: Array, weight: Array) -> Array:
        """The outputs (c,) that minimise the weighted loss when all samples get the same."""


class Pieces(NamedTuple):
    r"""An elementwise loss as the Moreau envelope of K affine pieces.

    .. math:: \ell(f) = \min_t \; q(t) + \frac{(f - t)^2}{2 \mu}, \qquad
              q(t) = \max_k \, a_k t + b_k \quad \text{or the indicator of} \; \{a_k t + b_k \le 0 \; \forall k\}

    Attributes
    ----------
    slopes, intercepts : array (K, *y.shape)
        a and b.
    smoothing : float
        mu >= 0; 0 means q itself.
    epigraph : bool
        Whether q is the maximum; False: the indicator, which needs `smoothing` > 0.
    """

    slopes: Array
    intercepts: Array
    smoothing: float = 0.0
    epigraph: bool = True


@runtime_checkable
class PiecewiseLoss(Loss, Protocol):
    """A loss that is affine, or flat, in places; solved through its pieces."""

    def pieces(self, y: Array) -> Pieces:
        """The pieces, such that their envelope is `value`."""
