"""
Many rows
=========

Rows that no convex program could hold: training passes over all of them, and prices neurons on samples.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(0)
teacher_U, teacher_A = rng.standard_normal((10, 5)), np.array([1.0, 1.0, -1.0, 1.0, -1.0])
X = rng.standard_normal((20_000, 10))
y = np.maximum(X @ teacher_U, 0) @ teacher_A
mean, deviation = y.mean(), y.std()
y = (y - mean) / deviation + 0.3 * rng.standard_normal(len(X))

problem = ng.TrainingProblem(X, y, beta=0.02 * ng.beta_max(ng.TrainingProblem(X, y, beta=1.0)), offset=True)
solution = ng.train(problem, gap=1e-2, time_limit=15.0)
print(solution.certificate)
print(f"{solution.network.n_neurons} neurons in {solution.seconds:.1f} s")

# %%
# The teacher had five neurons; the network finds their directions.
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
truth = (np.maximum(X @ teacher_U, 0) @ teacher_A - mean) / deviation
left.hexbin(truth, solution.network.predict(X), gridsize=50, bins="log", cmap="Blues", linewidths=0.2)
left.set(xlabel="the teacher, without noise", ylabel="the network")
found = solution.network.U[:-1]
cosines = np.abs((teacher_U / np.linalg.norm(teacher_U, axis=0)).T @ (found / np.linalg.norm(found, axis=0)))
order = np.argsort(-np.linalg.norm(found, axis=0))[:12]
picture = right.imshow(cosines[:, order], cmap="Blues", vmin=0, vmax=1, aspect="auto")
right.set(xlabel="neurons found, the largest first", ylabel="neurons of the teacher")
figure.colorbar(picture, ax=right, label="|cosine| of their weights")
plt.show()
