"""
The five points of the paper
============================

Five points on a line, on which gradient descent is caught in local minima unless the network is wide. Fig. 2 of
Pilanci and Ergen, in small.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

x, y = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), np.array([1.0, -1.0, 1.0, 1.0, -1.0])
problem = ng.TrainingProblem(x[:, None], y, beta=1e-2)
patterns = ng.enumerate_patterns(problem.X)
program = ng.solve_program(problem, patterns, tol=1e-9)
best = ng.train(problem, gap=1e-7)
print(f"{len(patterns)} patterns; program {program.certificate.upper:.6f}, training {best.certificate.upper:.6f}")


# %%
# Gradient descent from ten initialisations, 8 and 50 neurons.
def descend(width, seed, steps=4000, size=5e-3):
    rng = np.random.default_rng(seed)
    U, A = rng.standard_normal((2, width)) / 2, rng.standard_normal(width) / width**0.5
    objectives = []
    for _ in range(steps):
        hidden = problem.X @ U
        active = np.maximum(hidden, 0)
        error = active @ A - y
        objectives.append(0.5 * error @ error + 0.5 * problem.beta * (np.sum(U * U) + A @ A))
        slope_U = problem.X.T @ (error[:, None] * A * (hidden > 0)) + problem.beta * U
        slope_A = active.T @ error + problem.beta * A
        U, A = U - size * slope_U, A - size * slope_A
    return objectives


# %%
# The dashed line is the optimum, proven for every width: some of the narrow networks never come near it.
figure, places = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", sharey=True)
for place, width in zip(places, (8, 50), strict=True):
    for seed in range(10):
        place.plot(descend(width, seed), color="C0", alpha=0.6, lw=1, label="gradient descent" if seed == 0 else None)
    place.axhline(best.certificate.lower, color="C1", ls="--", lw=2, label="the optimum, of every width")
    place.set(xscale="log", yscale="log", xlabel="step", title=f"{width} neurons")
places[0].set_ylabel("training objective")
places[0].legend(frameon=False)
plt.show()
