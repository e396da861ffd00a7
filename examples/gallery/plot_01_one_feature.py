"""
Sixty noisy points
==================

A function of one variable, trained to the global optimum, with a proof.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(3)
x = np.sort(rng.uniform(-3, 3, 60))
y = np.interp(x, [-3, -1.5, 0.5, 1.5, 3], [0.5, -1.0, 1.0, 0.2, 1.2]) + 0.25 * rng.standard_normal(60)

problem = ng.TrainingProblem(x[:, None], y, beta=0.5)
solution = ng.train(problem, gap=1e-6)
print(solution.certificate)

# %%
# A network of one variable is piecewise linear, and each neuron is a place where its slope may change. Here
# every network of every width has been ruled out: none has an objective below the dashed line on the right.
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", width_ratios=[1.5, 1])
grid = np.linspace(-3, 3, 601)
left.plot(x, y, "o", color="0.55", markersize=4, label="60 noisy points")
left.plot(grid, solution.network.predict(grid[:, None]), color="C0", lw=2, label="the best network, of any width")
slope, intercept = solution.network.U
kinks = np.unique((-intercept / slope)[np.abs(intercept) < 3 * np.abs(slope)].round(3))
left.plot(
    kinks, solution.network.predict(kinks[:, None]), "o", color="C3", markersize=6, label="where neurons switch on"
)
left.set(xlabel="x", ylabel="y")
left.legend(frameon=False, loc="lower right")

history = solution.history
rounds = np.arange(1, len(history) + 1)
right.plot(rounds, [record.objective for record in history], marker="o", label="objective of the network")
right.plot(rounds, [record.lower_bound for record in history], "--", marker="o", label="no network is below")
right.set(xlabel="round", xticks=rounds[:: max(1, len(rounds) // 8)])
right.legend(frameon=False)
plt.show()
