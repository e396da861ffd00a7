"""
Fewer neurons
=============

Pruning without a width costs nothing on the samples; with one, the price is known.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

import neuralgauge as ng

data = load_diabetes()
X, y = scale(data.data), scale(data.target)
problem = ng.TrainingProblem(X, y, beta=10.0)
solution = ng.train(problem, gap=1e-2)
free = ng.prune(solution.network, problem)
print(f"{solution.network.n_neurons} neurons as trained, {free.width} at no cost")

# %%
widths = sorted({1, 2, 3, 5, 8, 12, 16, 20, free.width} - set(range(free.width + 1, 100)))
prunings = [ng.prune(solution.network, problem, width=width) for width in widths]
objectives = np.array([problem.objective(pruning.network) for pruning in prunings])

# %%
# The best network of so many neurons is somewhere between the curve and the lower bound, so that the curve says
# how much width is worth having.
figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
place.plot(widths, objectives, "o-", label="pruned to so many neurons, repaired by local search")
lower = solution.certificate.lower
place.axhline(lower, color="C1", ls="--", label=f"lower bound of every width ({solution.certificate.scope})")
place.set(xlabel="neurons", ylabel="training objective")
place.legend(frameon=False)
plt.show()
