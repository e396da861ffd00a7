"""The page: what it holds of every kind of model, what it leaves out, what it refuses, and that names stay text."""

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.reporting.scales import percent, shown

pytest.importorskip("jinja2")

KINDS = [
    "regression", "several targets", "two classes", "margins", "three classes", "apart", "cross-validated", "empty",
]  # fmt: skip
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Elements in order with their attributes, texts by element, and whether all are closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def of(self, tag):
        return [attributes for found, attributes in self.elements if found == tag]

    def said(self, tag):
        return [text for found, text in self.texts if found == tag and text]


@pytest.fixture(scope="module")
def pages(cases):
    return {name: ng.report(*case).html for name, case in cases.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_has_a_whole_page(pages, kind):
    page = Page(pages[kind])
    assert len(page.of("h1")) == len(page.of("main")) == len(page.of("header")) == 1
    targets = [one["href"] for one in page.of("a")]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(target[0] == "#" and target[1:] in ids for target in targets)
    assert targets[0] == "#content"
    named = [one["aria-labelledby"].split() for one in page.of("svg") if one.get("role") == "img"]
    assert {part for parts in named for part in parts} <= set(ids)
    assert all("aria-hidden" in one or one.get("role") == "img" for one in page.of("svg"))
    assert len(page.of("caption")) == len(page.of("table")) >= 2
    assert "nan" not in " ".join(one.get("d", "") for one in page.of("path"))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_and_nothing_runs(pages, kind):
    page = Page(pages[kind])
    assert not {"script", "iframe", "object", "embed", "img", "form"} & {tag for tag, _ in page.elements}
    addresses = [attributes[name] for _, attributes in page.elements for name in ("src", "href") if name in attributes]
    assert all(one.startswith("#") or one == "data:," for one in addresses)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "url(" not in pages[kind]
    assert "@import" not in pages[kind]
    policy = page.of("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith("default-src 'none'")


def test_names_of_columns_targets_and_classes_stay_text(pages):
    page = Page(pages["regression"])
    shown = page.said("th")
    for name in ('<script>alert("x")</script>', "a'b\"c & d > e", "x" * 120, "{{ 7 * 7 }}", "<b>price</b>"):
        assert name in shown
    assert page.said("h1") == ["Regression of <b>price</b>"]
    assert "49" not in page.said("th")
    assert {"yes & no", "<i>"} <= set(Page(pages["two classes"]).said("th"))


def test_what_a_model_has_is_shown_and_nothing_else(pages, cases, tmp_path):
    headings = {kind: Page(html).said("h3") for kind, html in pages.items()}
    assert headings["regression"][:2] == ["Objective and lower bound", "Relative gap"]
    assert "Residuals" in headings["regression"]
    assert "Cross-validation" in headings["cross-validated"]
    assert "Cross-validation" not in headings["regression"]
    assert "Probabilities against truth" in headings["three classes"]
    assert "Probabilities against truth" not in headings["margins"]
    assert "Residuals of target 1" in headings["several targets"]
    assert not any("Residuals" in one for one in headings["apart"])
    assert "Columns that count" not in Page(pages["empty"]).said("h2")
    assert "no neurons" in pages["empty"]
    assert "&lt; 0.001 %" in pages["empty"]
    assert "Predictions of target 1" in headings["several targets"]


def test_a_model_from_a_file_has_no_history_and_a_stated_certificate(cases, tmp_path):
    model, X, y = cases["regression"]
    ng.save_model(model, tmp_path / "m.safetensors")
    loaded = ng.load_model(tmp_path / "m.safetensors")
    page = Page(ng.report(loaded, X[list(X.columns)[::-1]], y).html)
    assert "Training" not in page.said("h2")
    assert any(text.startswith("As the model file states") for text in page.said("p"))
    assert page.said("strong") == ["Not proven"]
    assert Page(ng.report(model, X, y).html).said("td")[:4] == page.said("td")[:4]  # scores, columns by name
    known = ng.Certificate(2.0, 1.9, "exact")
    anew = Page(ng.report(loaded, X, y, certificate=known).html)
    assert anew.said("strong") == ["Certified"]
    assert known.in_words().split(" Better")[0] in anew.said("p")
    assert any("rows of this report" in text for text in anew.said("p"))


@pytest.mark.parametrize(
    ("certificate", "kind"),
    [
        (ng.Certificate(2.0, 1.5, "exact"), "Certified"),
        (ng.Certificate(2.0, 2.0, "bounded"), "Certified"),
        (ng.Certificate(2.0, 1.5, "estimated"), "Not proven"),
        (ng.Certificate(2.0, 1.5, "patterns"), "Not proven"),
        (ng.Certificate(2.0, -np.inf, "estimated"), "No certificate"),
        (ng.Certificate(2.0, 2.5, "exact"), "No certificate"),
    ],
)
def test_the_certificate_in_words(cases, certificate, kind):
    page = Page(ng.report(*cases["regression"], certificate=certificate).html)
    assert "".join(page.said("p")[1:3]).startswith(certificate.in_words().split(" Better")[0])
    assert page.said("strong") == [kind]


def test_a_path_is_drawn(cases, rows):
    model, X, y = cases["regression"]
    path = ng.relu_path(ng.TrainingProblem(rows, y, beta=1.0), betas=[5.0, 1.0, 0.5], gap=0.1)
    headings = Page(ng.report(model, X, y, path=path).html).said("h3")
    assert {"Neurons along the path", "Errors along the path"} <= set(headings)


def test_equal_arguments_give_equal_pages_and_the_order_of_columns_does_not_count(cases):
    model, X, y = cases["regression"]
    page = ng.report(model, X, y)
    assert page == ng.report(model, X, y)
    assert page == ng.report(model, X[list(X.columns)[::-1]], y)
    assert page != ng.report(model, X + 0.5, y)
    assert repr(model) in re.sub(r"&#34;|&#39;|&amp;", "'", page.html)


def test_files_are_written_whole_and_replaced_by_force_only(cases, tmp_path):
    case, output = cases["empty"], tmp_path / "report.html"
    page = ng.report(*case, output=output)
    assert output.read_text(encoding="utf-8") == page.html
    with pytest.raises(ng.InvalidInputError, match="exists already"):
        ng.report(*case, output=output)
    output.write_text("old")
    ng.report(*case, output=output, force=True)
    assert output.read_text(encoding="utf-8") == page.html
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_notebooks_get_the_page_in_a_frame(cases):
    page = ng.report(*cases["empty"])
    (frame,) = Page(page._repr_html_()).of("iframe")
    assert frame["srcdoc"] == page.html


def test_what_is_refused(cases, rows, monkeypatch):
    model, X, y = cases["regression"]
    classes, _, labels = cases["two classes"]
    images = ng.ReLUConvRegressor(filter_size=1, beta=1.0, gap=0.5).fit(np.ones((2, 2, 2, 1)), [1.0, 1.0])
    for arguments, options, message in [
        ((images, np.ones((2, 4)), [1.0, 1.0]), {}, "`model` must be a network on a table"),
        ((ng.ReLURegressor(), X, y), {}, "call `fit` first"),
        ((model, rows[:, :3], y), {}, "must have the 4 columns the model was trained on, got 3"),
        ((model, X.rename(columns={"x" * 120: "z"}), y), {}, "trained on other columns"),
        ((model, X, np.column_stack([y, y])), {}, "`y` must have the 1 targets of the model, got 2"),
        (
            (classes, rows, np.where(labels == "<i>", "maybe", labels)),
            {},
            "must hold the classes of the model.*'maybe'",
        ),
        ((classes, rows, labels[:5]), {}, r"one label a row \(60\), got shape \(5,\)"),
        ((model, X, y), {"feature_names": ["a"]}, r"one name a column \(4\), got 1"),
        ((model, X, y), {"path": 3}, "`path` must be a Path"),
        ((model, X, y), {"certificate": model}, "pass its `certificate_`"),
    ]:
        with pytest.raises((ng.InvalidInputError, ng.ModelFileError), match=message):
            ng.report(*arguments, **options)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ng.MissingDependencyError, match=r"pip install .neuralgauge\[report\]"):
        ng.report(model, X, y)


def test_intervals_of_calibrated_regressors(rows, cases):
    model, X, y = cases["regression"]
    assert "90 % intervals" not in Page(ng.report(model, X, y).html).said("th")
    model = ng.ReLUQuantileRegressor(levels=(0.1, 0.5, 0.9), beta=5.0, gap=0.5, holdout=0.5).fit(X, y)
    page = Page(ng.report(model, X, y).html)
    lower, upper = model.predict_interval(X, coverage=0.9).T
    at = page.said("td").index(f"rows that they hold; their mean width is {shown(np.mean(upper - lower))}")
    assert page.said("td")[at - 1] == percent(np.mean((lower <= y) & (y <= upper)), 3)
    few = ng.ReLURegressor(beta=50.0, gap=0.5).fit(rows, y).calibrate(rows[:3], y[:3])
    assert "90 % intervals" not in Page(ng.report(few, rows, y).html).said("th")


def test_rows_that_a_model_was_not_trained_on(cases):
    """Constant columns, one row, a class without rows."""
    model, X, y = cases["regression"]
    Page(ng.report(model, X[:1], y[:1]).html)
    classes, rows, labels = cases["three classes"]
    page = Page(ng.report(classes, rows[labels == 1], labels[labels == 1]).html)
    assert "–" in page.said("td")
    saved = replace(model.certificate_, proven=0.0)
    assert "55" in ng.report(model, X, y, certificate=replace(saved, upper=1.0, lower=0.45, scope="exact")).html


def test_a_pipeline_is_shown_as_its_network_gets_the_columns(rows):
    import pandas as pd
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    X, y = pd.DataFrame(rows, columns=["a", "b", "c", "d"]), rows[:, 0]
    model = make_pipeline(StandardScaler(), ng.ReLURegressor(beta=5.0, gap=0.1)).fit(X, y)
    page = ng.report(model, X, y).html
    assert page == ng.report(model[-1], model[:-1].transform(X), y, feature_names=list("abcd")).html
    nameless = make_pipeline(FunctionTransformer(), ng.ReLURegressor(beta=5.0, gap=0.1)).fit(rows, y)
    assert "column 3" in Page(ng.report(nameless, rows, y).html).said("th")
