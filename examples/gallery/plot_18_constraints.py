"""
Monotone and convex networks
============================

What is known of the curve beforehand is built into every neuron, so that it holds on every input, and the certificate
is about the best network that obeys.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

rng = np.random.default_rng(1)
x = np.sort(rng.uniform(-2.0, 2.0, 40))
y = np.log1p(np.exp(2.0 * x)) + 0.7 * rng.standard_normal(40)
grid = np.linspace(-3.0, 3.0, 400)[:, None]

# %%
# The penalty is small, so that the free network follows the noise.
asked = {
    "free": {},
    "increasing": {"monotonic_cst": [1]},
    "increasing and convex": {"monotonic_cst": [1], "convexity": "convex"},
}
figure, places = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained", sharey=True)
for place, (name, constraints) in zip(places, asked.items(), strict=True):
    problem = ng.TrainingProblem(x[:, None], y, beta=0.002, **constraints)
    solution = ng.train(problem, gap=1e-4)
    certificate = solution.certificate
    place.plot(x, y, "o", ms=4, color="0.6")
    place.plot(grid, solution.network.predict(grid), lw=2)
    place.set(title=f"{name}: {solution.network.n_neurons} neurons", xlabel="x", ylim=(-2.0, 7.0))
    print(f"{name}: objective {certificate.upper:.3f}, gap {certificate.gap:.0e}, {certificate.scope}")
plt.show()
