"""
A given number of pieces
========================

How many pieces does a curve need? The error of the best function found for each number, and a bound below which no
continuous function of so many pieces is.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(1)
x = np.sort(rng.uniform(0, 1, 200))
y = np.sin(2 * np.pi * x) + 0.5 * np.sin(6 * np.pi * x) + 0.1 * rng.standard_normal(200)
fits = [ng.fit_pieces(x, y, k) for k in range(1, 11)]
print(fits[7].network.breakpoints())

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", width_ratios=[1.5, 1])
left.plot(x, y, ".", color="0.6", label="200 noisy points")
for k in (4, 8):
    table = fits[k - 1].network.breakpoints()
    places = np.concatenate([[0.0], table.x, [1.0]])
    left.plot(places, table.predict(places), "o-", markersize=4, label=f"{k} pieces")
left.set(xlabel="x", ylabel="y")
left.legend(frameon=False)

pieces = np.arange(1, len(fits) + 1)
right.semilogy(pieces, [fit.error for fit in fits], "o-", label="squared error")
right.semilogy(pieces, [fit.lower for fit in fits], "--", label="none is below")
right.set(xlabel="pieces", xticks=pieces)
right.legend(frameon=False)
plt.show()
