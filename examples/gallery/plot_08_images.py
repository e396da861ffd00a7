"""
Filters for images
==================

A convolutional network for three digits finds the number of its filters itself.
"""

# %%
# Images of scikit-learn's digits, 8 x 8 pixels with one channel, channels last. Filters of 3 x 3 pixels run
# over them, and what they see is averaged over each of 2 x 2 regions.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

import neuralgauge as ng

images, digit = load_digits().images[..., None] / 16, load_digits().target
chosen = digit < 3
images, digit = images[chosen], digit[chosen]
model = ng.ReLUConvClassifier(filter_size=3, readout=(2, 2), beta=0.3, gap=0.05)
model.fit(images[:150], digit[:150])
print(model.certificate_)
accuracy = model.score(images[150:], digit[150:])
print(f"{len(model.filters_)} filters, accuracy on {len(images) - 150} new images {accuracy:.3f}")

# %%
# The filters that count most come first, with their share of the weight decay.
ng.plot_filters(model.network_)
plt.show()
