"""Train, certify, save and use a network on scikit-learn's diabetes data; a picture and a report at the end."""

from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng

data = load_diabetes()
X, y, names = data.data, data.target, list(data.feature_names)
folder = Path("demo-output")
folder.mkdir(exist_ok=True)
plt.switch_backend("Agg")


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
model = ng.ReLURegressor(beta=30.0).fit(X_train, y_train)
file = folder / "diabetes.safetensors"
ng.save_model(model, file, force=True)
predictions = ng.load_model(file).predict(X_test)
title = "A scikit-learn estimator with beta = 30, saved, loaded and tried on new patients"
print(f"\n{title}\n{'-' * len(title)}")
print(model.certificate_.in_words())
print(f"file         {file}, {file.stat().st_size} bytes")
print(f"predictions  {predictions[:5].round(0)}")
print(f"measured     {y_test[:5]}")
print(f"R^2          {r2_score(y_test, predictions):.2f} on {len(y_test)} new patients")

scale = StandardScaler().fit(X_train).transform
parts = [
    (scale(rows), (known - y_train.mean()) / y_train.std()) for rows, known in ((X_train, y_train), (X_test, y_test))
]
path = ng.relu_path(ng.TrainingProblem(*parts[0], beta=1.0), 20, 0.02, gap=1e-2, validation=parts[1])
figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.5), layout="constrained")
ng.plot_path(path, what="errors", axes=left)
ng.plot_path(path, what="norms", axes=right)
picture, page = folder / "path.png", folder / "report.html"
figure.savefig(picture, dpi=150)
ng.report(model, X_test, y_test, path=path, feature_names=names, output=page, force=True)
print("\nTo look at")
print(f"  {picture}     error and neurons of 20 certified networks, penalty by penalty")
print(f"  {page}  data, certificate, neurons and predictions of the new patients, for a browser")
