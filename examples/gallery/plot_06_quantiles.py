"""
Quantiles and intervals
=======================

Networks of the quantile loss say what is likely, and rows held out make their intervals hold on new rows.
"""

# %%
# The noise grows with x, so one width for all x would be wrong nearly everywhere.
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(0)


def rows(n):
    x = np.sort(rng.uniform(0, 4, n))
    return x[:, None], np.minimum(x, 2) + (0.1 + 0.25 * x) * rng.standard_normal(n)


X, y = rows(1000)
model = ng.ReLUQuantileRegressor(levels=(0.1, 0.5, 0.9), beta=1.0, random_state=0).fit(X, y)
for level, one in zip(model.levels_, model.estimators_, strict=True):
    print(f"level {level}: gap {one.certificate_.gap:.0e} ({one.certificate_.scope})")

# %%
# Asked for intervals that hold a new target four times in five, it widens those between the quantiles by what a
# quarter of the rows, which no network has seen, demand. The rate holds on average; one draw of some hundred rows
# leaves it a few per cent off.
X_new, y_new = rows(2000)
low, high = model.predict_interval(X_new, coverage=0.8).T
print(f"{np.mean((low <= y_new) & (y_new <= high)):.1%} of 2000 new rows lie in their interval of 80 %")

# %%
figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
place.plot(X_new[::5], y_new[::5], ".", color="0.6", label="new rows, every fifth")
place.fill_between(X_new[:, 0], low, high, color="C0", alpha=0.2, lw=0, label="interval of 80 %")
place.plot(X_new, model.predict_quantiles(X_new)[:, 1], color="C0", lw=2, label="median")
place.set(xlabel="x", ylabel="y")
place.legend(frameon=False, loc="upper left")
plt.show()
