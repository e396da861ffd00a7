"""`neuralgauge report`: a page from a model file and a table."""

import html

import pytest

import neuralgauge as ng

pytest.importorskip("jinja2")


@pytest.fixture
def trained(run, csv_file):
    run("train", csv_file, "--target", "price", "--output", "m.safetensors", "--beta", "2", "--gap", "1e-2")
    return "m.safetensors"


def test_a_page_with_a_certificate_of_the_table(run, trained, csv_file, tmp_path):
    outcome = run("report", trained, csv_file, "--output", "report.html")
    assert (outcome.code, outcome.err) == (0, "")
    assert "saved to 'report.html'" in outcome.out
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Regression of price</h1>" in page
    assert "rows of this report" in page
    assert "As the model file states" not in page
    certified = run("certify", trained, csv_file, "--json").json
    assert html.escape(certified["in_words"].split(" Better")[0]) in page
    assert certified["in_words"] in outcome.out
    assert f"neuralgauge report {trained} {csv_file} --output report.html" in page
    for name in ("size", "age", "floor"):
        assert f'<th scope="row">{name}</th>' in page
    assert run("report", trained, csv_file, "--output", "-").out == page.replace("report.html", "-")


def test_the_certificate_of_the_file(run, trained, csv_file, tmp_path):
    assert run("report", trained, csv_file, "--output", "report.html", "--no-certify", "--quiet").code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "As the model file states, not checked against data" in page
    assert "Not proven" in page


def test_classes_in_the_page(run, class_file, tmp_path):
    run("train", class_file, "--target", "dear", "--output", "m.safetensors", "--beta", "1", "--gap", "1e-2")
    assert run("report", "m.safetensors", class_file, "--output", "report.html").code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Classification of dear</h1>" in page
    assert "Confusion" in page
    model = ng.load_model("m.safetensors")
    assert "speaks for yes" in page or model.network.n_neurons == 0


def test_what_is_refused(refused, run, trained, csv_file, tmp_path):
    (tmp_path / "old.html").write_text("old")
    assert "exists already" in refused("report", trained, csv_file, "--output", "old.html")
    assert (tmp_path / "old.html").read_text() == "old"
    assert run("report", trained, csv_file, "--output", "old.html", "--force", "--no-certify").code == 0
    assert "--output" in refused("report", trained, csv_file)
    assert "cost" in refused("report", trained, csv_file, "--output", "new.html", "--target", "cost")
    assert "does not exist" in refused("report", trained, csv_file, "--output", "nowhere/new.html")
    assert not (tmp_path / "new.html").exists()


def test_a_table_of_any_kind_is_shown_as_it_was(run, tmp_path):
    lines = [f"{'' if k == 3 else k},{'old' if k % 3 else '<i>'},{k % 7}" for k in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(["size,kind,price", *lines]))
    run(
        "train",
        "t.csv",
        "--target",
        "price",
        "--task",
        "regression",
        "--output",
        "m.safetensors",
        "--beta",
        "5",
        "--gap",
        "0.5",
    )
    assert run("report", "m.safetensors", "t.csv", "--output", "r.html", "--no-certify").code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<th scope="row">kind</th><td>2 levels: 1 column of 0 and 1</td><td class="number">0</td>' in page
    assert '<th scope="row">size</th><td>numbers, missing ones filled' in page
    (tmp_path / "u.csv").write_text((tmp_path / "t.csv").read_text().replace("price", "cost"))
    options = ("--output", "r.html", "--no-certify", "--force")
    assert run("report", "m.safetensors", "u.csv", "--target", "cost", *options).code == 0
