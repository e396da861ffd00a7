"""Formulas of cells give the predictions: computed by LibreOffice if it is installed, and by a reader of them here."""

import csv
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from code_models import MODELS, rows_of, sizes, wanted
from sklearn.pipeline import make_pipeline

import neuralgauge as ng

OFFICE = shutil.which("soffice")
FUNCTIONS = {
    "MAX": max,
    "EXP": math.exp,
    "TANH": math.tanh,
    "NA": lambda: math.nan,
    "IF": lambda test, yes, no: yes if test else no,
    "COUNT": lambda *cells: sum(isinstance(cell, float) for cell in cells),
    "ISNUMBER": lambda cell: isinstance(cell, float),
    "EXACT": lambda one, other: str(one or "") == other,
    "TRIM": lambda cell: " ".join(str(cell or "").split(" ")),
    "OR": lambda *tests: any(tests),
}


def computed(formula, cells):
    """The value of a formula, read as Python: the same operators, = apart, and functions of these names."""
    assert formula[0] == "="
    parts = re.split(r'("(?:[^"]|"")*")', formula[1:])
    for k, part in enumerate(parts):
        if k % 2:
            parts[k] = repr(part[1:-1].replace('""', '"'))
        else:
            part = re.sub(r"(?<![<>])=", "==", part).replace("TRUE", "True").replace("FALSE", "False")
            part = re.sub(r"\bIF\(", "IF_(", part).replace("OR(", "OR_(")
            parts[k] = re.sub(r"\$?\b([A-Z]{1,3})\$?([0-9]+)\b", r"cells['\1\2']", part)
    names = FUNCTIONS | {"IF_": FUNCTIONS["IF"], "OR_": FUNCTIONS["OR"], "cells": cells}
    return eval("".join(parts), {"__builtins__": {}}, names)


def right_of(model, X):
    """What the formulas of a model give: numbers and labels, a row for each formula."""
    if len(model.classes) == 2:
        second = model.predict_proba(X)[:, 1] if model.has_probabilities else model.decision_function(X)
        return [model.predict(X).tolist(), second.tolist()]
    values = model.decision_function(X) if model.classes else wanted(model, X)
    return values.reshape(len(X), -1).T.tolist()


def cells_of(row, line=2):
    letters = [chr(ord("A") + k) for k in range(26)]
    return {f"{letters[k]}{line}": value for k, value in enumerate(row)}


def short(model):
    """A model whose formulas a cell takes."""
    return model is not MODELS["wide"]


def test_equals_the_model(model):
    if not short(model):
        with pytest.raises(ng.InvalidInputError, match="8,192 characters"):
            ng.to_excel(model)
        return
    X = rows_of(model, 20)
    formulas, right = ng.to_excel(model), right_of(model, X)
    assert len(formulas) == len(right)
    for formula, values in zip(formulas, right, strict=True):
        found = [computed(formula, cells_of(row)) for row in X.tolist()]
        if isinstance(values[0], float):
            size = sizes(model, X) * (max(values) if model.loss == "poisson" else 1.0)
            assert np.abs(np.array(found) - values).max() <= 1e-12 * size
        else:
            assert found == values


def test_text_gaps_and_levels(table):
    columns, y = table
    model = make_pipeline(ng.TableEncoder(), ng.ReLURegressor(beta=20.0, gap=0.1, prove=False)).fit(columns, y)
    (formula,) = ng.to_excel(model)
    rows = [
        [None if cell is None or cell != cell else float(cell) if not isinstance(cell, str) else cell for cell in row]
        for row in zip(*columns.values(), strict=True)
    ]
    found = [computed(formula, cells_of(row)) for row in rows]
    assert np.allclose(found, model.predict(columns), rtol=1e-11)


def test_cells_that_hold_no_number_are_looked_for():
    (formula,) = ng.to_excel(MODELS["one feature"], ["$C$7"])
    assert formula.startswith("=IF(COUNT($C$7)<1,NA(),")


def test_nothing_of_names_is_in_the_formulas():
    (formula,) = ng.to_excel(MODELS["names"])
    assert re.fullmatch(r"=[-+*/<>=(),.0-9e A-Z]*", formula)


@pytest.mark.parametrize("cell", ["a1", "A0", "A1:B2", "A1+1", "=A1", "Sheet1!A1", "AAAA1", 'A1"', 3])
def test_references_that_are_refused(cell):
    with pytest.raises(ng.InvalidInputError, match="`cells`"):
        ng.to_excel(MODELS["one feature"], [cell])


def test_cells_are_as_many_as_columns():
    with pytest.raises(ng.InvalidInputError, match="got 2 of them"):
        ng.to_excel(MODELS["one feature"], ["A1", "B1"])


def test_labels_that_no_formula_holds_are_refused():
    model = MODELS["margins"]
    for label in ("x" * 300, "a\nb"):
        with pytest.raises(ng.InvalidInputError, match="printed characters"):
            ng.to_excel(ng.SavedModel(**{**vars(model), "classes": ("a", label)}))


def test_letters_of_columns_after_z():
    net = ng.TwoLayerNetwork(np.ones((29, 1)), [1.0])
    (formula,) = ng.to_excel(net)
    assert "*AB2)" in formula


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice")
def test_libreoffice_computes_the_predictions(model, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    if not short(model):
        return
    X = rows_of(model, 4)
    book = openpyxl.Workbook()
    book.active.append([f"column {k}" for k in range(X.shape[1])])
    for k, row in enumerate(X.tolist()):
        cells = [f"{chr(ord('A') + j)}{k + 2}" for j in range(len(row))]
        book.active.append([*row, *ng.to_excel(model, cells)])
    book.save(tmp_path / "model.xlsx")
    options = [f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "csv"]
    # Numbers as they are, not as they are shown.
    options[-1] += ":Text - txt - csv (StarCalc):44,34,76,1,,0,false,false"
    subprocess.run([OFFICE, *options, "--outdir", tmp_path, tmp_path / "model.xlsx"], check=True, capture_output=True)
    with open(tmp_path / "model.csv", encoding="utf-8") as file:
        found = [row[X.shape[1] :] for row in list(csv.reader(file))[1:]]
    for column, values in zip(zip(*found, strict=True), right_of(model, X), strict=True):
        if isinstance(values[0], float):
            size = sizes(model, X) * (max(values) if model.loss == "poisson" else 1.0)
            assert np.abs(np.array(column, dtype=float) - values).max() <= 1e-12 * size
        else:
            assert list(column) == [str(one).upper() if isinstance(one, bool) else str(one) for one in values]
