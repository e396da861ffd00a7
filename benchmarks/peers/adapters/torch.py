"""PyTorch: Adam or SGD with momentum on the objective itself, once for each step size, in single precision.

Batches of 256, all rows where there are fewer than 1,000. The step size is constant, or falls as a cosine over the
time of the run.
"""

import math

import numpy as np

BATCH, WHOLE = 256, 1000


def prepare(data):
    import torch

    torch.set_num_threads(int(data["threads"]))
    X, y = torch.tensor(data["X"], dtype=torch.float32), torch.tensor(data["y"], dtype=torch.float32)
    (n, d), m = X.shape, int(data["width"])
    squared, beta = str(data["loss"]) == "squared", float(data["betas"][-1])

    def loss(f, y):
        return 0.5 * ((f - y) ** 2).sum() if squared else torch.nn.functional.softplus(-y * f).sum()

    def train(step, ended, watch):
        torch.manual_seed(0)
        U = (torch.randn(d, m) * math.sqrt(2.0 / d)).requires_grad_()
        A = (torch.randn(m) * math.sqrt(1.0 / m)).requires_grad_()
        make = torch.optim.Adam if str(data["solver"]) == "adam" else torch.optim.SGD
        options = {} if make is torch.optim.Adam else {"momentum": 0.9}
        optimizer = make([U, A], lr=step, **options)
        while (share := ended()) < 1.0:
            order = torch.randperm(n) if n >= WHOLE else torch.arange(n)
            for rows in order.split(BATCH if n >= WHOLE else n):
                if bool(data["cosine"]):
                    share = min(ended(), 1.0)
                    optimizer.param_groups[0]["lr"] = 0.5 * step * (1.0 + math.cos(math.pi * share))
                optimizer.zero_grad()
                value = loss(torch.relu(X[rows] @ U) @ A, y[rows]) / len(rows)
                value = value + 0.5 * beta / n * ((U**2).sum() + (A**2).sum())
                value.backward()
                optimizer.step()
                watch(U, A)
            if not bool(torch.isfinite(value.detach())):
                return
        watch(U, A, force=True)

    def solve(recorder):
        def watch(U, A, force=False):
            if force or recorder.due():
                weights = {"U": U.detach().numpy().astype(float), "A": A.detach().numpy().astype(float)[:, None]}
                if np.all(np.isfinite(weights["U"])):
                    recorder.add(**weights)

        for index, step in enumerate(np.atleast_1d(data["steps"])):
            if index:
                recorder.begin(f"step {step:g}")
            else:
                recorder.run = f"step {step:g}"
            train(float(step), lambda: recorder.seconds / recorder.limit, watch)

    shares = [1.0, 0.0, 0.0]
    train(1e-3, lambda: shares.pop() if len(shares) > 1 else shares[0], lambda *arguments, **options: None)
    return solve
