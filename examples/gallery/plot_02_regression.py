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
# "exact" says that the lower bound holds for every network of every width. The objective and that bound while the
# training ran, and the gap between them:
ng.plot_training(solution)
plt.show()

# %%
# The function that was found, over the patients.

# sphinx_gallery_thumbnail_number = 2
grid = np.linspace(X.min(axis=0), X.max(axis=0), 80)
first, second = np.meshgrid(grid[:, 0], grid[:, 1])
heights = solution.network.predict(np.column_stack([first.ravel(), second.ravel()])).reshape(first.shape)
figure, place = plt.subplots(figsize=(7, 4.5), layout="constrained")
filled = place.contourf(first, second, heights, levels=12, cmap="viridis")
limits = {"vmin": filled.zmin, "vmax": filled.zmax, "cmap": "viridis"}
place.scatter(X[:, 0], X[:, 1], c=y, s=16, edgecolors="white", lw=0.4, **limits)
place.set(xlabel="body mass index", ylabel="serum value s5", title=f"{solution.network.n_neurons} neurons")
figure.colorbar(filled, ax=place, label="progression, predicted (ground) and seen (points)")
plt.show()
