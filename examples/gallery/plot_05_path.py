"""
All penalties at once
=====================

The regularization path from the empty network down, with rows held out to choose from it.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

import neuralgauge as ng

data = load_diabetes()
X, y = scale(data.data[:, [2, 3, 8]]), scale(data.target)  # body mass index, blood pressure, a serum value
train, held_out = slice(0, 300), slice(300, None)

problem = ng.TrainingProblem(X[train], y[train], beta=1.0, offset=True)
path = ng.relu_path(problem, n_betas=14, beta_min_ratio=0.005, gap=1e-3, validation=(X[held_out], y[held_out]))
print(path.summary().select("beta", "objective", "gap", "n_neurons", "validation_error"))

# %%
# Neurons enter one after another as ``beta`` falls. The error on held-out rows is least where a handful are
# there; every point has its own certificate.
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
ng.plot_path(path, axes=left)
ng.plot_path(path, what="errors", axes=middle)
ng.plot_path(path, what="objective", axes=right)
plt.show()
