from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hemocast import files
from hemocast.errors import OutputExists


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {files.RECORD, ".hemocast.lock"}
    }


def test_an_earlier_run_may_be_replaced_but_not_what_the_user_changed_or_added(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    with files.claim(out, "evaluation") as output:
        output.write_text("metrics.csv", "1")
        output.write_text("report.html", "1")
        output.write_text("old.svg", "1")
    (out / "notes.txt").write_text("mine")
    with files.claim(out, "evaluation") as output:
        output.write_text("metrics.csv", "2")
        output.remove_others(["metrics.csv", "report.html"])
    assert not (out / "old.svg").exists()
    (out / "report.html").write_text("annotated by hand")
    with files.claim(out, "evaluation") as output:
        with pytest.raises(OutputExists, match=r"report\.html"):
            output.write_text("report.html", "2")
        output.remove_others([])
    assert _content(out) == {"notes.txt": b"mine", "report.html": b"annotated by hand"}
    with pytest.raises(OutputExists, match="evaluation"), files.claim(out, "predictions"):
        pass


def test_a_killed_run_still_knows_its_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with files.claim(out, "evaluation") as output:
        output.write_text("a.csv", "1")
    with (out / files.RECORD).open("a") as file:
        file.write('{"file": "a.c')  # torn by a kill
    with files.claim(out, "evaluation") as output:
        output.check(["a.csv"])
        output.write_text("b.csv", "2")  # not on the torn line, where nobody would find it
    with files.claim(out, "evaluation") as output:
        assert output.has_record_of("a.csv")
        output.write_text("b.csv", "3")


@pytest.mark.parametrize("name", ["../mine.txt", "{folder}/mine.txt", "link/mine.txt"])
def test_a_record_from_elsewhere_names_nothing_outside_its_folder(
    tmp_path: Path, name: str
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    out = tmp_path / "out"
    with files.claim(out, "evaluation"):
        pass
    (out / "link").symlink_to(tmp_path)
    line = {"file": name.format(folder=tmp_path), "sha256": hashlib.sha256(b"mine").hexdigest()}
    with (out / files.RECORD).open("a") as file:
        file.write(json.dumps(line) + "\n")
    with files.claim(out, "evaluation") as output:
        output.remove_others([])
    assert mine.read_text() == "mine"


def test_the_record_is_plain_lines(tmp_path: Path) -> None:
    with files.claim(tmp_path / "out", "evaluation") as output:
        output.write_json("metrics.json", {"auc": 0.8})
    first, second = (tmp_path / "out" / files.RECORD).read_text().splitlines()
    assert json.loads(first) == {"kind": "evaluation"}
    assert json.loads(second)["file"] == "metrics.json"


def test_a_folder_that_is_renamed_is_so_in_the_record_too(tmp_path: Path) -> None:
    with files.claim(tmp_path, "test") as output:
        output.write_text("old/a.txt", "a")
        output.write_text("older/a.txt", "a")
        (tmp_path / "old" / "mine.txt").write_text("mine")
        output.rename_folders({"old": "new", "gone": "there"})
        output.write_text("new/a.txt", "b")  # still ours
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.txt", "mine.txt"]
    assert '"old/' not in (tmp_path / files.RECORD).read_text()
    assert files.kind_of(tmp_path) == "test"
    with files.claim(tmp_path, "test") as output:
        assert output.wrote(tmp_path / "new" / "a.txt")
        assert output.wrote(tmp_path / "older" / "a.txt")
        assert not output.wrote(tmp_path / "new" / "mine.txt")
