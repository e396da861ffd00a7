r"""What a loss is: a convex function of outputs f and targets y, summed over the samples by the problem.

Each loss knows what the theory needs: its value, its derivatives in f, and its conjugate
:math:`\ell^*(g) = \sup_f g f - \ell(f, y)` with the interval of g where that is finite. The dual bound of the paper
[15] is :math:`-\sum_i s_i \ell^*(-v_i / s_i)`, s_i the weight of the sample.

**A loss of your own** is an object with the members of `Loss`, passed as ``TrainingProblem(loss=...)``; nothing has
to be registered. Nothing is checked either: a certificate is as true as `conjugate` and `domain` are. The inequality of
Fenchel and Young, value(f) + conjugate(g) >= g f with equality at g = gradient(f), is the test that finds mistakes.

- It must be convex, finite for every f, and >= 0 (gaps are relative to it).
- The interior point takes Newton steps, so `hessian` should be positive where the loss is not flat. A loss with kinks
  or affine stretches adds `pieces` (`PiecewiseLoss`), and is then solved through its epigraph, exactly.
- The rounding of the conjugate must stay within some 10 eps of :math:`|\ell^*(g)| + |g y| + g^2`, for the lower bounds
  to hold in floating point: write log1p and expm1 where a difference of nearly equal numbers would lose its digits.

`docs/losses.md` has a complete example.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, runtime_checkable

from .._array import Array

Targets = Literal["real", "sign", "count", "simplex"]


class Loss(Protocol):
    """A convex loss of arrays f and y of one shape, (n,) or (n, c).

    Elementwise losses (`coupled` False) return arrays of that shape. A coupled loss sees the c outputs of a sample at
    once: `value` and `conjugate` are (n,), `hessian` (n, c, c), the rest (n, c).
    """

    @property
    def name(self) -> str:
        """Name under which `TrainingProblem(loss=...)` finds it."""

    @property
    def targets(self) -> Targets:
        """Which y it takes: any real number; -1 and +1; any number >= 0; rows >= 0 that sum to one."""

    @property
    def coupled(self) -> bool:
        """Whether the outputs of one sample share a loss; elementwise otherwise."""

    def value(self, f: Array, y: Array) -> Array:
        """ell(f, y) >= 0."""

    def gradient(self, f: Array, y: Array) -> Array:
        """Derivative in f (any subgradient at a kink)."""

    def hessian(self, f: Array, y: Array) -> Array:
        """Second derivative in f (0 where it does not exist)."""

    def conjugate(self, g: Array, y: Array) -> Array:
        """ell*(g) for g inside `domain`; the caller clips g to it first."""

    def domain(self, y: Array) -> tuple[Array, Array]:
        """Closed interval of g, entry by entry, outside which the conjugate is infinite."""


@runtime_checkable
class CoupledLoss(Loss, Protocol):
    """A coupled loss, with the root that the Newton systems need."""

    def hessian_root(self, f: Array, y: Array) -> Array:
        """R of shape (n, c, c) with R R^T = `hessian`."""


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
