"""Standard input and output in the place of files, and what becomes of a command whose streams or files fail."""

import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from neuralgauge.cli import streams
from neuralgauge.cli.report import GapBar
from neuralgauge.interchange import load_model

PATHS = os.pathsep.join(path for path in sys.path if path)
linux = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the devices of Linux")


@pytest.fixture
def command(tmp_path):
    """A real process of `neuralgauge ...`, in the folder of the tables."""

    def start(*arguments, **options):
        line = [sys.executable, "-m", "neuralgauge", *map(str, arguments)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(line, cwd=tmp_path, env={**os.environ, "PYTHONPATH": PATHS}, **options)

    return start


@pytest.fixture
def model(run, csv_file):
    """A trained model file, `m`."""
    assert run("train", csv_file, "--target", "price", "--beta", "5", "--gap", "0.1", "--output", "m").code == 0
    return "m"


def test_tables_come_from_standard_input(run, csv_file, model):
    content = csv_file.read_bytes()
    expected = run("predict", model, csv_file)
    assert run("predict", model, "-", stdin=content).out == expected.out
    assert run("patterns", "-", "--json", stdin=content).out == run("patterns", csv_file, "--json").out
    assert run("certify", model, "-", "--gap", "0.5", "--json", stdin=content).code == 0
    assert run("train", "-", "--target", "price", "--beta", "5", "--gap", "0.1", stdin=content).code == 0


def test_models_come_from_standard_input(run, csv_file, model, tmp_path):
    content = (tmp_path / model).read_bytes()
    assert run("predict", "-", csv_file, stdin=content).out == run("predict", model, csv_file).out
    assert run("certify", "-", csv_file, "--gap", "0.5", stdin=content).code == 0


def test_refusals_name_standard_input(refused, run, model, csv_file):
    assert "Only one of MODEL and DATA can be `-`" in refused("predict", "-", "-")
    assert "Only one of MODEL and DATA can be `-`" in refused("certify", "-", "-")
    assert "'standard input' is empty" in refused("predict", model, "-")
    assert "The file 'standard input' is not a neuralgauge model, or it is empty" in refused("predict", "-", csv_file)
    assert "got 'red' in line 3 of 'standard input'" in refused("patterns", "-", stdin=b"x\n1\nred\n")


def test_standard_input_that_is_closed(refused, model, monkeypatch):
    monkeypatch.setattr("io.TextIOWrapper", lambda _: None)
    assert "'standard input' cannot be read: it is closed" in refused("predict", model, "-")


def test_a_file_whose_name_is_a_dash(run, model, csv_file, tmp_path):
    csv_file.rename(tmp_path / "-")
    assert run("predict", model, "./-").out.startswith("prediction\n")
    assert run("predict", model, "./-", "--output", "./-", "--force").out == ""
    assert (tmp_path / "-").read_text().startswith("prediction\n")


def test_predictions_go_to_standard_output_for_a_dash(run, model, csv_file, tmp_path):
    before = set(tmp_path.iterdir())
    assert run("predict", model, csv_file, "--output", "-").out == run("predict", model, csv_file).out
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]])
def test_a_model_goes_to_standard_output_alone(run, csv_file, monkeypatch, tmp_path, options):
    arguments = ["train", csv_file, "--target", "price", "--beta", "5", "--gap", "0.1"]
    assert run(*arguments, "--output", "m").code == 0
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO()))
    outcome = run(*arguments, "--output", "-", *options)
    assert outcome.code == 0
    assert sys.stdout.buffer.getvalue() == (tmp_path / "m").read_bytes()
    assert ("objective" in outcome.err) == ("--quiet" not in options)


def test_a_model_is_not_written_to_a_terminal(refused, csv_file, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "A model is binary and not for a terminal" in refused(
        "train", csv_file, "--target", "price", "--output", "-"
    )


def test_a_folder_is_no_stream(refused, tmp_path):
    pytest.importorskip("matplotlib")
    assert "`--output` must be a folder, got `-`" in refused("reproduce", "fig2", "--quick", "--output", "-")
    assert not (tmp_path / "-").exists()


LONG = "m" * 300


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predict", LONG, "houses.csv"], "cannot be read: File name too long"),
        (["predict", "m", LONG], "cannot be read: File name too long"),
        (["train", "houses.csv", "--target", "price", "--output", LONG], "cannot be written: File name too long"),
        (["predict", "m", "houses.csv", "--output", f"{LONG}/p"], "cannot be written: File name too long"),
        (["predict", "m", "houses.csv", "--output", "houses.csv/p"], "cannot be written: Not a directory"),
        (["predict", "m", "houses.csv/x"], "cannot be read: Not a directory"),
        (["predict", "m", "."], "'.' cannot be read: Is a directory"),
        (["predict", ".", "houses.csv"], "'.' cannot be read: Is a directory"),
        (["predict", "m", "houses.csv", "--output", "."], "'.' is a folder"),
        (["reproduce", "fig2", "--quick", "--output", LONG], "cannot be made: File name too long"),
        (["reproduce", "fig2", "--quick", "--output", "houses.csv"], "must be a folder"),
        (["reproduce", "fig2", "--quick", "--output", "houses.csv/x"], "cannot be made: Not a directory"),
        (["reproduce", "fig2", "--data", LONG], "of `--data` does not exist"),
    ],
)
def test_names_that_no_file_can_have(refused, model, csv_file, arguments, sentence, tmp_path):
    pytest.importorskip("matplotlib")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    message = refused(*arguments)
    assert sentence in message
    assert len(message) < 400
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_long_options_are_not_repeated(refused, csv_file):
    assert len(refused("train", csv_file, "--target", "x" * 100_000)) < 400
    assert len(refused("train", csv_file, "--target", "price", "--beta", "x" * 100_000)) < 400


@linux
@pytest.mark.parametrize("output", ["/dev/full", "/proc/m"])
def test_outputs_that_take_nothing_are_refused_before_the_training(refused, csv_file, monkeypatch, output):
    monkeypatch.setattr("neuralgauge.cli.train.trained", lambda *_, **__: pytest.fail("it was trained for nothing"))
    assert f"{os.path.dirname(output)}" in refused(
        "train", csv_file, "--target", "price", "--output", output, "--force"
    )


@linux
@pytest.mark.parametrize("arguments", [["predict", "m", "houses.csv"], ["patterns", "houses.csv"], ["--help"]])
def test_a_full_device_is_a_sentence(command, model, csv_file, arguments):
    with open("/dev/full", "wb") as full:
        process = command(*arguments, stdout=full)
        _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith(b"Error: ")
    assert b"No space left on device" in err
    assert b"defect" not in err
    assert err.count(b"\n") == 1


@linux
def test_remarks_that_find_no_room_stop_nothing(command, csv_file, tmp_path):
    with open("/dev/full", "wb") as full:
        process = command("train", csv_file, "--target", "price", "--beta", "0.01", "--gap", "1e-13",
                          "--time-limit", "0.001", "--output", "m", stderr=full)  # fmt: skip
        out, _ = process.communicate()
    assert process.returncode == 1
    assert b"objective" in out
    assert load_model(tmp_path / "m").network.n_features == 3


@pytest.mark.parametrize("arguments", [["predict", "m", "houses.csv"], ["train", "--help"]])
def test_a_closed_pipe_is_quiet(command, model, csv_file, arguments):
    with command(*arguments) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_closed_standard_output_is_a_sentence(refused, model, csv_file, monkeypatch):
    monkeypatch.setattr("neuralgauge.cli.streams.sys", type("Streams", (), {"stdout": None, "stderr": sys.stderr}))
    assert "Standard output is closed" in refused("predict", model, csv_file)


def test_names_that_the_encoding_lacks_are_escaped(run, model, tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("größe,art\n1,süß\n2,herb\n3,süß\n4,herb\n", encoding="utf-8")
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr("sys.stdout", ascii_only)
    assert run("train", "t.csv", "--target", "art", "--beta", "0.1", "--output", "c").code == 0
    assert rb"s\xfc\xdf" in ascii_only.buffer.getvalue()
    ascii_only.buffer.seek(0)
    assert run("predict", "c", "t.csv").code == 0
    assert "süß".encode() in ascii_only.buffer.getvalue()


def test_interruption_while_reading(command, csv_file):
    process = command("train", "-", "--target", "price", "--output", "m", stdin=subprocess.PIPE)
    process.stdin.write(b"x,price\n" + b"1,2\n" * 100_000)  # more than a pipe holds: it reads once this is through
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, b"Interrupted.\n")


@pytest.fixture
def interrupted_once(monkeypatch):
    """Ctrl-C at the first round of a training that runs after it."""
    seen = []

    def press(bar, record):
        seen.append(record)
        if len(seen) == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(GapBar, "__call__", press)
    return seen


def test_an_interrupted_training_saves_its_best_and_says_so(run, csv_file, interrupted_once):
    outcome = run("train", csv_file, "--target", "price", "--beta", "0.01", "--gap", "1e-13", "--output", "m")
    assert outcome.code == 130
    assert "this is the best result so far" in outcome.err
    assert "objective" in outcome.out
    assert load_model("m").network.n_features == 3
    assert len(interrupted_once) >= 1


def test_an_interrupted_certificate_is_the_best_so_far(run, csv_file, model, interrupted_once):
    handler = signal.getsignal(signal.SIGINT)
    outcome = run("certify", model, csv_file, "--gap", "1e-13", "--json")
    assert outcome.code == 130
    assert outcome.json["status"] == "interrupted"
    assert np.isfinite(outcome.json["objective"])
    assert "Interrupted; this is the best bound so far." in outcome.err
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_interrupted_certificate_of_parts_waits_for_none(run, tmp_path, interrupted_once):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},{'abc'[k % 3]}\n" for k in range(12)))
    arguments = ["--target", "y", "--multi-class", "one_vs_rest", "--beta", "0.5", "--gap", "0.1", "--output", "c"]
    assert run("train", "t.csv", *arguments).code == 130
    interrupted_once.clear()
    outcome = run("certify", "c", "t.csv", "--gap", "1e-13", "--json")
    assert outcome.code == 130
    assert outcome.json["separate"] is True


def test_exit_codes_are_documented(run):
    text = " ".join(run("--help").out.split())
    for words in ("0 done", "1 the requested gap was not reached", "2 wrong usage", "130 interrupted", "141", "143"):
        assert words in text


def test_reading_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "MOST_BYTES", 4)
    (tmp_path / "file").write_bytes(b"1234")
    assert streams.content_of(f"{tmp_path}/file") == b"1234"
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(OSError, match="it is larger than"):
        streams.content_of(tmp_path / "file")
    with pytest.raises(OSError, match="its name is none for a file"):
        streams.content_of("a\0b")
