"""
A network in a mixed-integer program
====================================

A process was measured at 150 settings, and a network learned its yield. Which setting is best, if heat costs money, the
number of stirrers is whole, and degrees and hours are limited together?
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import LinearConstraint, milp

import neuralgauge as ng

rng = np.random.default_rng(0)
lower, upper = np.array([20.0, 0.0, 1.0]), np.array([120.0, 10.0, 6.0])  # degrees, hours, stirrers
X = rng.uniform(lower, upper, size=(150, 3))
X[:, 2] = np.round(X[:, 2])
y = 30.0 + 10.0 * np.cos((X[:, 0] - 85.0) / 15.0) + 6.0 * np.minimum(X[:, 1], 4.0) + 3.0 * np.sqrt(X[:, 2])
model = ng.ReLURegressor(gap=1e-2).fit(X, y + rng.standard_normal(150))

# %%
# The surrogate has variables for the three settings, for the neurons that change sign over the box, and for the output.
# Since the output is maximised, neurons with positive output weights need a binary each, and the others none.
net = ng.surrogate(model, lower, upper, integer=[2], sense="maximize")
exact = ng.surrogate(model, lower, upper, integer=[2])
print(f"{len(net.neurons)} neurons bend over the box; {net.n_binaries} binaries, {exact.n_binaries} without a sense")

cost = net.cost()  # minus the output; a degree costs 0.05, an hour 0.5, a stirrer 1
cost[net.inputs] += [0.05, 0.5, 1.0]
budget = np.zeros(net.n_variables)
budget[net.inputs[:2]] = [1.0, 10.0]
best = milp(
    cost,
    constraints=[net.constraints, LinearConstraint(budget, ub=100.0)],
    bounds=net.bounds,
    integrality=net.integrality,
)
setting = best.x[net.inputs]
print(
    f"{setting[0]:.1f} degrees, {setting[1]:.2f} hours, stirrers {setting[2]:.0f}: yield {best.x[net.outputs][0]:.2f}"
)

# %%
# The range of the network under the same conditions, with proof, and how fast the yield can change along one setting.
allowed = LinearConstraint([[1.0, 10.0, 0.0]], ub=100.0)
found = ng.output_range(model, lower, upper, integer=[2], constraints=allowed)
steep = ng.lipschitz(model, lower, upper, norm=1)
print(f"yields from {found.minimum.value:.4f} to {found.maximum.value:.4f}, at most {found.maximum.bound:.4f}")
print(f"at most {steep.bound:.3f} for a unit of any setting")

# %%
# Yield less costs, with as many stirrers as are best; the optimum is on the budget's line.
degrees, hours = np.meshgrid(np.linspace(20, 120, 161), np.linspace(0, 10, 161))
grid = np.column_stack([degrees.ravel(), hours.ravel(), np.full(degrees.size, setting[2])])
profit = model.predict(grid) - grid @ [0.05, 0.5, 1.0]
figure, place = plt.subplots(figsize=(6, 4), layout="constrained")
figure.colorbar(place.contourf(degrees, hours, profit.reshape(degrees.shape), 20), label="yield less costs")
place.plot([20, 100], [8, 0], color="white", linestyle="--", label="budget")
place.plot(*setting[:2], marker="*", markersize=14, color="tab:red", linestyle="none", label="optimum")
place.set(xlabel="degrees", ylabel="hours", title=f"stirrers: {setting[2]:.0f}")
place.legend(loc="upper right")
plt.show()
