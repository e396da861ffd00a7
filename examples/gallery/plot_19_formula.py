"""
A network as a formula
======================

Two features: the network in one line, and the polygons on which it is one plane each.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(0)
X = np.column_stack([rng.uniform(50, 150, 200), rng.uniform(1960, 2020, 200)])
price = 100 + 2 * np.maximum(X[:, 0] - 90, 0) - 0.5 * np.maximum(2000 - X[:, 1], 0) + 4 * rng.standard_normal(200)
model = ng.ReLURegressor(beta=10.0, gap=1e-2).fit(X, price)

formula = ng.formula(model, ["size", "built"])
print(formula)

# %%
# The same with as few digits and columns as move no price by more than two.
short = formula.simplify(X, within=2.0)
print(short)

# %%
# A query, and a function of C, are as long.
print(ng.to_sql(model, "houses", keep=["id"], feature_names=["size", "built"]))
print(ng.to_c(model, "price", feature_names=["size", "built"])[:600])

# %%
# Each polygon has a plane of its own; lines are where neurons switch.
figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
ng.plot_pieces(model.network_, (50, 1960), (150, 2020), feature_names=("size", "built"), axes=axes)
axes.plot(*X.T, ".", color="0.3", markersize=3)
plt.show()
