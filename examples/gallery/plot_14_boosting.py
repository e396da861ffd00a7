"""
Beside boosted trees
====================

The same table, cross-validated: where a network of two layers does well, and where trees do.
"""

# %%
# Three targets of five columns: hinges, steps, and a product.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV

import neuralgauge as ng

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, size=(1100, 5))
targets = {
    "hinges": np.abs(X[:, 0]) - np.maximum(X[:, 1] - 0.3, 0) + 0.5 * np.abs(X[:, 2] + X[:, 3]),
    "steps": (X[:, 0] > 0.2) + 0.5 * (X[:, 1] > -0.4) * (X[:, 2] > 0),
    "product": X[:, 0] * X[:, 1] + 0.5 * X[:, 2],
}
models = {
    "ridge": RidgeCV(alphas=np.logspace(-3, 3, 13)),
    "boosted trees": HistGradientBoostingRegressor(random_state=0),
    "neuralgauge": ng.ReLURegressorCV(n_betas=3, beta_min_ratio=5e-3, cv=3, gap=5e-2, patience=2, offset=True),
}
train, test = slice(0, 200), slice(200, None)

# %%
scores = {}
for name, target in targets.items():
    y = target / target.std() + 0.2 * rng.standard_normal(len(X))
    scores[name] = [model.fit(X[train], y[train]).score(X[test], y[test]) for model in models.values()]
    print(f"{name:14}", " ".join(f"{score:.2f}" for score in scores[name]))

# %%
# 200 rows to learn from, 900 to be judged by. Steps belong to trees; hinges of combinations of columns to the
# network.
figure, place = plt.subplots(figsize=(8, 4), layout="constrained")
for k, name in enumerate(models):
    place.bar(np.arange(3) + 0.26 * (k - 1), [scores[target][k] for target in targets], 0.24, label=name)
place.set(xticks=range(3), xticklabels=list(targets), ylabel="R^2 on 900 new rows", ylim=(0, 1))
place.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.12))
plt.show()
