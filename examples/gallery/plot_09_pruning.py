"""
Fewer neurons
=============

Pruning without an option costs nothing on the samples. With a limit on the objective it looks for the fewest neurons;
the front of error against neurons shows what each is worth.
"""

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

import neuralgauge as ng

data = load_diabetes()
X, y = scale(data.data), scale(data.target)
problem = ng.TrainingProblem(X[:200], y[:200], beta=10.0)
solution = ng.train(problem, gap=1e-2)
free = ng.prune(solution.network, problem)
print(f"{solution.network.n_neurons} neurons as trained, {free.width} at no cost")
for within in (0.001, 0.02):
    pruning = ng.prune(solution.network, problem, within=within)
    print(f"{pruning.width} neurons found for {within:.1%} more; at least {pruning.at_least} are needed")

# %%
# The best network of so many neurons is somewhere between the steps and the lower bound, so that the picture says
# how much width is worth having.
front = ng.width_front(solution, problem, validation=(X[200:], y[200:]))
print(front)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
ng.plot_width_front(front, axes=left)
ng.plot_width_front(front, of="validation_error", axes=right)
plt.show()
