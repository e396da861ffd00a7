"""Train, certify, save and use a network on scikit-learn's diabetes data."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

import neuralgauge as ng

data = load_diabetes(as_frame=True)


def standardized(columns: list[str]) -> np.ndarray:
    """The chosen columns with mean 0 and population standard deviation 1."""
    table = data.data[columns]
    return ((table - table.mean()) / table.std(ddof=0)).to_numpy()


y = ((data.target - data.target.mean()) / data.target.std(ddof=0)).to_numpy()
folder = Path("demo-output")
folder.mkdir(exist_ok=True)

for title, columns, rows in (
    ("One feature, 442 patients: every activation pattern is listed", ["bmi"], slice(None)),
    ("Two features, the first 60 patients: every activation pattern is listed", ["bmi", "s5"], slice(60)),
    ("All ten features: sampled activation patterns", list(data.data.columns), slice(None)),
):
    X = standardized(columns)[rows]
    problem = ng.TrainingProblem(X, y[rows], beta=10.0 if len(X) > 100 else 1.0)
    solution = ng.train(problem, gap=1e-4)
    print(f"\n{title}\n{'-' * len(title)}")
    print(solution.certificate)
    print(f"neurons      {solution.network.n_neurons}")
    print(f"seconds      {solution.seconds:.2f}")
    print(f"status       {solution.status}")

model = ng.ReLURegressor(beta=10.0).fit(standardized(list(data.data.columns)), y)
prediction = model.predict(standardized(list(data.data.columns))[:3])
print(f"\nThe scikit-learn estimator predicts {np.round(prediction, 3)} for the first three patients.")
