"""
Quantiles
=========

Three networks of the quantile loss bound what is likely, where the noise grows with x.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(1)
x = np.sort(rng.uniform(0, 4, 250))
y = np.minimum(x, 2) + (0.1 + 0.25 * x) * rng.standard_normal(250)
levels = (0.1, 0.5, 0.9)
models = [
    ng.ReLURegressor(loss=ng.Quantile(level=level), beta=1.0, offset=True, gap=1e-3).fit(x[:, None], y)
    for level in levels
]

# %%
# Of the rows, near a tenth, a half and nine tenths lie below the curves.
for level, model in zip(levels, models, strict=True):
    below = np.mean(y < model.predict(x[:, None]))
    print(
        f"level {level}: {below:.1%} of the rows below, gap {model.certificate_.gap:.0e} ({model.certificate_.scope})"
    )

# %%
grid = np.linspace(0, 4, 400)[:, None]
low, middle, high = (model.predict(grid) for model in models)
figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
place.plot(x, y, ".", color="0.6", label="rows")
place.fill_between(grid[:, 0], low, high, color="C0", alpha=0.2, lw=0, label="between the 10 % and the 90 % quantile")
place.plot(grid, middle, color="C0", lw=2, label="median")
place.set(xlabel="x", ylabel="y")
place.legend(frameon=False, loc="upper left")
plt.show()
