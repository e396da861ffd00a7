"""
Outliers
========

One row in ten is wrong by a lot. The squared loss follows them, the Huber and the absolute loss do not.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(4)
x = np.sort(rng.uniform(-2, 2, 100))
truth = np.abs(x) - 0.5
y = truth + 0.1 * rng.standard_normal(100)
wrong = rng.choice(np.flatnonzero(x > 0.3), 10, replace=False)
y[wrong] += rng.uniform(3, 6, 10)

figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
place.plot(x, y, ".", color="0.6", label="rows")
place.plot(x, truth, ":", color="0.2", label="truth")
for loss, style in (("squared", "-"), (ng.Huber(delta=0.1), "--"), ("absolute", "-.")):
    model = ng.ReLURegressor(loss=loss, beta=0.3, gap=1e-4).fit(x[:, None], y)
    error = np.sqrt(np.mean((model.predict(x[:, None]) - truth) ** 2))
    print(f"{model.loss_.name:9} distance from the truth {error:.2f}, gap {model.certificate_.gap:.0e}")
    place.plot(x, model.predict(x[:, None]), style, lw=2, label=model.loss_.name)
place.set(xlabel="x", ylabel="y", ylim=(-1.2, 4))
place.legend(frameon=False, loc="upper left")
plt.show()
