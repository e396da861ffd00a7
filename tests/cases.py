"""Problems that several test files make."""

import re
from pathlib import Path

import numpy as np

from neuralgauge.losses import get_loss

PAGE = Path(__file__).parents[1] / "docs" / "losses.md"


def targets_of(loss, z):
    """Targets that a loss takes, from numbers z of shape (n, c); (n,) for one output. Of c classes all are there."""
    kind = get_loss(loss).targets
    if kind == "simplex":
        labels = np.argmax(z, axis=1)
        labels[: z.shape[1]] = np.arange(z.shape[1])
        return labels
    y = {"real": z, "sign": np.where(z > 0, 1.0, -1.0), "count": np.floor(2 * np.abs(z))}[kind]
    return y if z.shape[1] > 1 else y[:, 0]


def rough_rows(rng, seed, n, d):
    """Random rows; of every three seeds one has rounded rows, and one has repeated rows and a zero row."""
    X = rng.standard_normal((n, d))
    if seed % 3 == 1:
        X = np.round(X)
    if seed % 3 == 2:
        X[n // 2] = 0.0
        X[: n // 4] = X[n // 4 : 2 * (n // 4)]
    return X


def own_loss():
    """The loss of docs/losses.md."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    names = {}
    exec(compile(code[: code.index("rng =")], PAGE.name, "exec"), names)
    return names["LogCosh"]()


def dft_matrix(spatial):
    """Unnormalised, one row a frequency, all of them in C order."""
    F = np.ones((1, 1))
    for size in spatial:
        k = np.arange(size)
        F = np.kron(F, np.exp(-2j * np.pi * np.outer(k, k) / size))
    return F
