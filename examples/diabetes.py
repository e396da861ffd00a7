"""Train, certify, save and use a network on scikit-learn's diabetes data."""

from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng

data = load_diabetes()
X, y, names = data.data, data.target, list(data.feature_names)
folder = Path("demo-output")
folder.mkdir(exist_ok=True)


def report(title: str, solution: ng.Solution) -> None:
    """Print one training run."""
    print(f"\n{title}\n{'-' * len(title)}")
    print(solution.certificate)
    print(f"neurons    {solution.network.n_neurons}")
    print(f"seconds    {solution.seconds:.2f}")
    print(f"status     {solution.status}")


print("Progression of diabetes after one year, 442 patients, columns and target standardised, beta = 10.")
print("The first run compiles the searches, which takes some seconds once.")
target = (y - y.mean()) / y.std()
for title, columns in (
    ("Body mass index and one serum value: proven", ["bmi", "s5"]),
    ("With blood pressure: proven", ["bmi", "s5", "bp"]),
    ("All ten columns: searched", names),
):
    features = StandardScaler().fit_transform(X[:, [names.index(column) for column in columns]])
    report(title, ng.train(ng.TrainingProblem(features, target, beta=10.0), gap=1e-4))

X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler, mean, std = StandardScaler().fit(X_train), y_train.mean(), y_train.std()
model = ng.ReLURegressor(beta=30.0).fit(scaler.transform(X_train), (y_train - mean) / std)
path = folder / "diabetes.safetensors"
ng.save_model(model, path, force=True)
loaded = ng.load_model(path)
predictions = mean + std * loaded.predict(scaler.transform(X_test))
title = "A scikit-learn estimator with beta = 30, saved, loaded and tried on new patients"
print(f"\n{title}\n{'-' * len(title)}")
print(f"file         {path}, {path.stat().st_size} bytes")
print(f"predictions  {predictions[:5].round(0)}")
print(f"measured     {y_test[:5]}")
print(f"R^2          {r2_score(y_test, predictions):.2f} on {len(y_test)} new patients")
