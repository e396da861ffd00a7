"""
A proven bound
==============

With ten columns the search for a better neuron is not exhaustive, so its bound is an estimate. A relaxation
proves a bound at any number of columns, the tighter the larger ``beta``.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

import neuralgauge as ng

data = load_diabetes()
X, y = scale(data.data)[:60], scale(data.target)[:60]
shares = (0.03, 0.1, 0.2, 0.4, 0.7)
top = ng.beta_max(ng.TrainingProblem(X, y, beta=1.0))
solutions = [ng.train(ng.TrainingProblem(X, y, beta=share * top), prove=1.5) for share in shares]
print(solutions[1].certificate)

# %%
# The numbers are the proven gaps: no network of any width is better by more than that. The bound that a search
# estimates lies on the upper curve.
certificates = [solution.certificate for solution in solutions]
upper = np.array([one.upper for one in certificates])
figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
place.plot(shares, upper, "o-", label="objective of the network")
place.plot(shares, [one.proven for one in certificates], "s--", color="C2", label="proven: no network is below")
place.fill_between(shares, [one.proven for one in certificates], upper, color="C2", alpha=0.2, lw=0)
for share, one in zip(shares, certificates, strict=True):
    place.annotate(
        f"{one.proven_gap:.1%}", (share, one.proven), xytext=(6, -14), textcoords="offset points", fontsize=9
    )
place.set(xscale="log", xlabel="beta as a share of the largest", ylabel="training objective", ylim=(0, None))
place.set_xticks(shares, [f"{share:.0%}" for share in shares])
place.minorticks_off()
place.legend(frameon=False)
plt.show()
