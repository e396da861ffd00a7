"""
A messy table
=============

Categories, missing values, dates and decimal commas, in a pipeline of scikit-learn; and what the network makes of
each column.
"""

# %%
# A table of flats as it might come from a spreadsheet: one column has decimal commas, one has gaps, one is text, and
# one has dates.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.inspection import PartialDependenceDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

import neuralgauge as ng

rng = np.random.default_rng(0)
n = 400
size, age = rng.uniform(20, 140, n), rng.integers(0, 90, n).astype(float)
district = rng.choice(["centre", "harbour", "hills"], n, p=[0.5, 0.3, 0.2])
days = rng.integers(0, 700, n)
let = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
rent = 8 * size + 4 * np.maximum(size - 90, 0) - 5 * np.minimum(age, 40) + 0.2 * days
rent = rent + np.select([district == "centre", district == "hills"], [150, 80]) + 40 * rng.standard_normal(n)
age[rng.random(n) < 0.1] = np.nan
flats = pd.DataFrame(
    {
        "size": [f"{value:.1f}".replace(".", ",") for value in size],
        "age": age,
        "district": district,
        "let": let.strftime("%Y-%m-%d"),
    }
)
print(flats.head(3))

# %%
# ``TableEncoder`` makes columns of numbers of it, and says how.
train, test, rent_train, rent_test = train_test_split(flats, rent, random_state=0)
model = make_pipeline(ng.TableEncoder(), ng.ReLURegressor(beta=5.0, gap=1e-2))
model.fit(train, rent_train)
for column, done in model[0].describe().items():
    print(f"{column:9}{done}")
print(f"R^2 on new flats {model.score(test, rent_test):.3f}")
print(model[-1].certificate_.in_words())

# %%
# Partial dependence: rents rise faster for large flats, age counts less from 40 years on, and rents rise with time.
figure, places = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
names = list(model[0].get_feature_names_out())
PartialDependenceDisplay.from_estimator(
    model[-1], model[0].transform(train), ["size", "age", "let"], feature_names=names, ax=places
)
places[2].set_xlabel("let, days since 1970")
plt.show()
