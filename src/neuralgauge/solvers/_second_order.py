r"""Second-order cones Q = {(t, w): |w| <= t}, many at once, with Nesterov-Todd scaling.

Rows of the arrays, shape (m, 1 + d), are cone points. For an interior pair p, q in Q the scaling W is the
symmetric matrix with W q = W^{-1} p, W^2 = eta^2 (2 omega omega^T - J), J = diag(1, -I), and omega hyperbolic:
omega_0^2 - |omega_1|^2 = 1.

Source: Vandenberghe, "The CVXOPT linear and quadratic cone program solvers" (2010), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._array import Array


def dot(u: Array, v: Array) -> Array:
    """Row-wise inner products."""
    return np.einsum("ij,ij->i", u, v)


def determinant(u: Array) -> Array:
    """u_0^2 - |u_1|^2 without cancellation between the squares."""
    norm = np.sqrt(dot(u[:, 1:], u[:, 1:]))
    return (u[:, 0] - norm) * (u[:, 0] + norm)


def product(u: Array, v: Array) -> Array:
    """Jordan product (u^T v, u_0 v_1 + v_0 u_1)."""
    out = np.empty_like(u)
    out[:, 0] = dot(u, v)
    out[:, 1:] = u[:, :1] * v[:, 1:] + v[:, :1] * u[:, 1:]
    return out


def quotient(u: Array, r: Array) -> Array:
    """The v with product(u, v) = r."""
    det, cross = determinant(u), dot(u[:, 1:], r[:, 1:])
    out = np.empty_like(u)
    out[:, 0] = (u[:, 0] * r[:, 0] - cross) / det
    out[:, 1:] = (r[:, 1:] + (cross / det)[:, None] * u[:, 1:]) / u[:, :1] - (r[:, 0] / det)[:, None] * u[:, 1:]
    return out


def step_length(p: Array, dp: Array) -> float:
    """Largest alpha (maybe inf) with p + alpha dp in the cones, for p inside."""
    a, b, c = determinant(dp), p[:, 0] * dp[:, 0] - dot(p[:, 1:], dp[:, 1:]), determinant(p)
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    # Smallest positive root of c + 2 b alpha + a alpha^2, in the form without cancellation.
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        alpha = np.where(b >= 0, np.where(a < 0, (b + root) / -a, np.inf), c / (root - b))
    alpha = np.where(b * b < a * c, np.inf, alpha)
    return float(np.min(alpha, initial=np.inf))


@dataclass(frozen=True)
class ConeScaling:
    """Nesterov-Todd scaling of m pairs.

    Attributes
    ----------
    a : array (m,)
        omega_0.
    b : array (m, d)
        omega_1.
    eta : array (m,)
    point : array (m, 1 + d)
        The scaled point W q = W^{-1} p.
    """

    a: Array
    b: Array
    eta: Array
    point: Array

    @classmethod
    def of(cls, p: Array, q: Array, det_p: Array, det_q: Array, p_q: Array) -> ConeScaling:
        """ConeScaling of the interior pair p, q, given its determinants and inner products.

        Near the boundary these three lose all their digits when computed from p and q; `moved` keeps them.
        """
        root_p, root_q = np.sqrt(det_p), np.sqrt(det_q)
        p_bar, q_bar = p / root_p[:, None], q / root_q[:, None]
        gamma = np.sqrt(0.5 * (1.0 + p_q / (root_p * root_q)))
        b = (p_bar[:, 1:] - q_bar[:, 1:]) / (2.0 * gamma)[:, None]
        point = np.empty_like(p)
        point[:, 0] = gamma
        mixed = (gamma + q_bar[:, 0])[:, None] * p_bar[:, 1:] + (gamma + p_bar[:, 0])[:, None] * q_bar[:, 1:]
        point[:, 1:] = mixed / (p_bar[:, 0] + q_bar[:, 0] + 2.0 * gamma)[:, None]
        point *= np.sqrt(root_p * root_q)[:, None]
        # omega_0 from omega_1, so that the hyperbolic norm is 1 to the last bit.
        return cls(np.sqrt(1.0 + dot(b, b)), b, np.sqrt(root_p / root_q), point)

    def moved(self, alpha: float, step_p: Array, step_q: Array) -> tuple[Array, Array, Array]:
        """det p, det q and p^T q after a step with these scaled directions W^{-1} dp, W dq."""
        u, v = self.point + alpha * step_p, self.point + alpha * step_q
        return self.eta**2 * determinant(u), determinant(v) / self.eta**2, dot(u, v)

    def solve(self, x: Array) -> Array:
        """W^{-1} x."""
        b_x = dot(self.b, x[:, 1:])
        out = np.empty_like(x)
        out[:, 0] = self.a * x[:, 0] - b_x
        out[:, 1:] = x[:, 1:] + (b_x / (1.0 + self.a) - x[:, 0])[:, None] * self.b
        return out / self.eta[:, None]

    def curvature(self) -> Array:
        """W^{-2} with its first row and column eliminated: (m, d, d), the Hessian left on w when q_0 is fixed."""
        d = self.b.shape[1]
        weight = 1.0 / self.eta**2
        M = (-2.0 * weight / (2.0 * self.a**2 - 1.0))[:, None, None] * self.b[:, :, None] * self.b[:, None, :]
        M[:, np.arange(d), np.arange(d)] += weight[:, None]
        return M

    def curvature_solve(self, R: Array) -> Array:
        """The inverse of `curvature` applied to each row of R (m, d): eta^2 (I + 2 b b^T)."""
        return (self.eta**2)[:, None] * (R + (2.0 * dot(self.b, R))[:, None] * self.b)
