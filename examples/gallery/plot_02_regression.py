r"""
A regression with a certificate
===============================

Train a network on two columns of a table, and see how far it is from the best network of any width.
"""

# %%
# scikit-learn's diabetes data: how far the disease of 442 patients has progressed after a year, here against
# their body mass index and one serum value. Columns and target are standardised, as for any penalised model.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

import neuralgauge as ng

data = load_diabetes()
columns = [data.feature_names.index(name) for name in ("bmi", "s5")]
X = data.data[:, columns] / data.data[:, columns].std(axis=0)
y = (data.target - data.target.mean()) / data.target.std()

# %%
# ``beta`` weighs the penalty. There is no width, no step size and no number of epochs.
problem = ng.TrainingProblem(X, y, beta=10.0)
solution = ng.train(problem, gap=1e-4)
print(solution.certificate)

# %%
# "exact" says that the lower bound holds for every network of every width. Left, the objective and that bound
# while the training ran; right, the function that was found.
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
ng.plot_training(solution, axes=left)

grid = np.linspace(X.min(axis=0), X.max(axis=0), 80)
first, second = np.meshgrid(grid[:, 0], grid[:, 1])
heights = solution.network.predict(np.column_stack([first.ravel(), second.ravel()])).reshape(first.shape)
filled = right.contourf(first, second, heights, levels=12, cmap="viridis")
right.scatter(
    X[:, 0], X[:, 1], c=y, cmap="viridis", vmin=filled.zmin, vmax=filled.zmax, s=12, edgecolors="white", lw=0.3
)
right.set(xlabel="body mass index", ylabel="serum value s5", title=f"{solution.network.n_neurons} neurons")
figure.colorbar(filled, ax=right, label="predicted progression")
plt.show()
