"""A loss of the user's own that couples the outputs of a sample: pseudo-Huber of the norm of a row."""

import numpy as np


class RowHuber:
    """ell = d^2 (sqrt(1 + |f - y|^2 / d^2) - 1), ell*(g) = g^T y + d^2 - d sqrt(d^2 - |g|^2) with |g| <= d."""

    name, targets, coupled = "row_huber", "real", True

    def __init__(self, delta=0.7):
        self.delta = delta

    def _root(self, r):
        return np.sqrt(1.0 + np.sum(r * r, axis=1) / self.delta**2)

    def value(self, f, y):
        r = f - y
        return np.sum(r * r, axis=1) / (self._root(r) + 1.0)

    def gradient(self, f, y):
        r = f - y
        return r / self._root(r)[:, None]

    def hessian(self, f, y):
        r = f - y
        root = self._root(r)[:, None, None]
        return np.eye(r.shape[1]) / root - r[:, :, None] * r[:, None, :] / (self.delta**2 * root**3)

    def hessian_root(self, f, y):
        return np.linalg.cholesky(self.hessian(f, y))

    def conjugate(self, g, y):
        energy = np.sum(g * g, axis=1)
        inner = np.sqrt(np.maximum(1.0 - energy / self.delta**2, 0.0))
        return np.sum(g * y, axis=1) + energy / (1.0 + inner)

    def domain(self, y):
        return np.full_like(y, -self.delta), np.full_like(y, self.delta)

    def project(self, g, y):
        size = np.linalg.norm(g, axis=1, keepdims=True)
        return g * np.minimum(1.0, (1.0 - 1e-14) * self.delta / np.maximum(size, 1e-300))

    def outside(self, g, y):
        return np.maximum((1.0 + 1e-15) * np.linalg.norm(g, axis=1) - self.delta, 0.0)


class Undeclared(RowHuber):
    """The same without a word on where its dual points lie."""

    project = outside = property()  # looked up, these raise AttributeError
