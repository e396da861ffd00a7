"""Outputs that cannot be written are refused by a sentence, and before any work where that can be known."""

import os

import pytest

from neuralgauge.errors import InvalidInputError
from neuralgauge.interchange.atomic_write import check_output, write_atomically


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("m" * 300, r"'... \(\d+ characters\) cannot be written: File name too long; give another name"),
        ("m" * 300 + "/m", "cannot be written: File name too long"),
        ("file/m", "cannot be written: Not a directory"),
        ("loop", "cannot be written: Too many levels of symbolic links"),
        ("a\0b", "cannot be written: embedded null byte"),
        ("folder", "is a folder"),
        ("file", "exists already"),
        ("none/m", "does not exist; create it first"),
        ("pipe", "is not an ordinary file"),
    ],
)
def test_refusals(tmp_path, name, sentence):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    for function in (check_output, lambda path: write_atomically(path, b"new")):
        with pytest.raises(InvalidInputError, match=sentence) as caught:
            function(tmp_path / name)
        assert len(str(caught.value)) < 400
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_takes_no_files_is_found_out_by_trying(tmp_path, monkeypatch):
    def read_only(path, mode):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("neuralgauge.interchange.atomic_write.open", read_only, raising=False)
    with pytest.raises(InvalidInputError, match=r"may not be written to \(Read-only file system\); choose another"):
        check_output(tmp_path / "m")


def test_checking_leaves_nothing_behind(tmp_path):
    check_output(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "m").write_text("mine")
    check_output(tmp_path / "m", force=True)
    assert (tmp_path / "m").read_text() == "mine"
