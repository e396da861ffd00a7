"""
In a pipeline
=============

Categories, missing values and columns of any scale, in a pipeline of scikit-learn; and what the network makes
of each column.
"""

# %%
# A table of flats: one column of text, one with gaps.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.inspection import PartialDependenceDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import neuralgauge as ng

rng = np.random.default_rng(0)
n = 400
flats = pd.DataFrame(
    {
        "size": rng.uniform(20, 140, n),
        "age": rng.integers(0, 90, n).astype(float),
        "district": rng.choice(["centre", "harbour", "hills"], n, p=[0.5, 0.3, 0.2]),
    }
)
rent = 8 * flats["size"] + 4 * np.maximum(flats["size"] - 90, 0) - 5 * np.minimum(flats["age"], 40)
rent = rent + flats["district"].map({"centre": 150, "harbour": 0, "hills": 80}) + 40 * rng.standard_normal(n)
flats.loc[rng.random(n) < 0.1, "age"] = np.nan

# %%
columns = make_column_transformer(
    (SimpleImputer(strategy="median", add_indicator=True), ["size", "age"]),
    (OneHotEncoder(handle_unknown="ignore"), ["district"]),
)
model = make_pipeline(columns, ng.ReLURegressor(beta=5.0, gap=1e-2))
train, test, rent_train, rent_test = train_test_split(flats, rent, random_state=0)
model.fit(train, rent_train)
print(f"R^2 on new flats {model.score(test, rent_test):.3f}")
print(model[-1].certificate_)

# %%
# Partial dependence, in the units of the table: rents rise faster above 90 square metres, and age counts up to
# 40 years.
figure, places = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
PartialDependenceDisplay.from_estimator(
    model, train, ["size", "age", "district"], categorical_features=["district"], ax=places
)
plt.show()
