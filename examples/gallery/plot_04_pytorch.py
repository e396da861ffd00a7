"""
What a network of PyTorch leaves to gain
========================================

A network is trained with Adam and weight decay. How far from the best network of any width is it, and when
would more training have stopped to pay?
"""

# %%
# Where PyTorch is not installed, the same descent in NumPy stands in for it.
import matplotlib.pyplot as plt
import numpy as np

import neuralgauge as ng

try:
    import torch
except ImportError:
    torch = None

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, size=(150, 2))
y = np.maximum(X[:, 0] + X[:, 1], 0) - np.abs(X[:, 1] - 0.3) + 0.1 * rng.standard_normal(150)
problem = ng.TrainingProblem(X, y, beta=0.1)
steps = (0, 10, 30, 100, 300, 1000, 3000)


# %%
# The loss is the sum of squares over two, so that a weight decay of ``beta`` is the penalty of the problem. The
# output layer has no bias.
def networks_of_torch():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(2, 40), torch.nn.ReLU(), torch.nn.Linear(40, 1, bias=False)).double()
    inputs, targets = torch.tensor(X), torch.tensor(y)[:, None]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps[-1] + 1):
        if step in steps:
            yield step, model
        optimizer.zero_grad()
        decay = sum(weight.square().sum() for weight in model.parameters())
        (0.5 * (model(inputs) - targets).square().sum() + 0.5 * problem.beta * decay).backward()
        optimizer.step()


def networks_of_numpy():
    U, A = rng.standard_normal((3, 40)) / 2, rng.standard_normal(40) / 6
    for step in range(steps[-1] + 1):
        if step in steps:
            yield step, ng.TwoLayerNetwork(U, A)
        hidden = problem.X @ U
        error = np.maximum(hidden, 0) @ A - y
        slope_U = problem.X.T @ (error[:, None] * A * (hidden > 0)) + problem.beta * U
        slope_A = np.maximum(hidden, 0).T @ error + problem.beta * A
        U, A = U - 1e-3 * slope_U, A - 1e-3 * slope_A


descent = networks_of_torch() if torch else networks_of_numpy()
best = ng.train(problem, gap=1e-5)
objectives = [ng.certify(network, problem, gap=1e-2).upper for _, network in descent]
lower = best.certificate.lower
print(f"after {steps[-1]} steps {objectives[-1]:.4f}")
print(f"no network of any width is below {lower:.4f} ({best.certificate.scope})")

# %%
# The gap says what the loss curve alone does not: how much is left to gain, one per cent after a thousand
# steps.
figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
gaps = [(objective - lower) / objective for objective in objectives]
place.plot(
    np.maximum(steps, 1), gaps, "o-", label="40 neurons, " + ("Adam of PyTorch" if torch else "gradient descent")
)
place.axhline(best.certificate.gap, color="C3", ls="--", label=f"neuralgauge, {best.network.n_neurons} neurons")
place.set(xscale="log", yscale="log", xlabel="step", ylabel="gap to the best network of any width")
place.legend(frameon=False)
plt.show()
