"""
Two classes in the plane
========================

A classifier of two features: where its neurons switch on, and how sure it is.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import make_moons

import neuralgauge as ng

X, y = make_moons(200, noise=0.25, random_state=0)

# %%
# Three penalties: the smaller ``beta``, the more neurons, and the closer the boundary follows the points. Each
# network is the best of its penalty, to the gap in the title, for every width.
figure, places = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
for place, beta in zip(places, (10.0, 1.0, 0.1), strict=True):
    model = ng.ReLUClassifier(beta=beta, gap=1e-3).fit(X, y)
    certificate = model.certificate_
    ng.plot_decision_boundary(model.network_, X, y, axes=place)
    place.get_legend().remove()
    place.set_title(
        f"beta {beta:g}: {model.network_.n_neurons} neurons\ngap {certificate.gap:.0e} ({certificate.scope})"
    )
handles, labels = place.get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
plt.show()
