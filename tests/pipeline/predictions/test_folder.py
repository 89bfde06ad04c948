"""Rows of before, users' cells and users' files stay; whose folder it is, is proved."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path, PosixPath
from types import SimpleNamespace

import pytest

from hemocast import files
from hemocast.dataset.pseudonym import scan_name
from hemocast.errors import InUse, NotWritable, OutputExists, UsageError
from hemocast.files import TEMPORARY
from hemocast.pipeline.predictions.folder import (
    COLUMNS,
    FILES,
    LINKAGE,
    PAGE_PDF,
    PREDICTION,
    TABLE,
    CaseResult,
    PredictionsFolder,
)
from hemocast.pipeline.predictions.names import NAMES
from hemocast.pipeline.predictions.table import GrowingTable

HASH = "a" * 64


def rows(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def made(scan_id: str = "s1") -> dict[str, bytes]:
    record = {
        "schema_version": 1, "scan_id": scan_id, "model": {"hash": HASH},
        "heatmap_unit": "log-odds per cm3",
    }  # fmt: skip
    files = {name: f"{name} of {scan_id}".encode() for name in FILES}
    return files | {"prediction.json": json.dumps(record).encode()}


def make(folder: Path, scan_id: str = "s1") -> None:
    for name, content in made(scan_id).items():
        (folder / name).write_bytes(content)


def run(out: Path, *results: CaseResult) -> None:
    with PredictionsFolder.open(out, HASH) as folder:
        for result in results:
            if result.status == "done":
                folder.check(str(result.scan_id))
                folder.write_scan(str(result.scan_id), made(str(result.scan_id)))
            folder.add(result, Path(f"DOE^JANE/{result.case}"))


def done(scan_id: str, case: int = 1) -> CaseResult:
    return CaseResult(case, "done", scan_id=scan_id)


def test_scans_of_earlier_runs_stay_and_a_scan_comes_once(tmp_path: Path) -> None:
    run(tmp_path, done("s1"), done("s2", 2))
    run(tmp_path, done("s2"), done("s3", 2))
    assert [(row["scan_id"], row["case"]) for row in rows(tmp_path)] == [
        ("s1", "1"), ("s2", "1"), ("s3", "2"),
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "s1").iterdir()} == set(FILES)


def test_a_path_without_a_scan_leaves_no_row_for_ever(tmp_path: Path) -> None:
    nothing = CaseResult(1, "refused", "HC101", "HC101 There is nothing")
    for _ in range(3):
        run(tmp_path, nothing)
    (row,) = rows(tmp_path)
    assert (row["scan_id"], row["code"]) == ("n/a", "HC101")


def test_a_table_whose_rows_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    run(tmp_path, done("s1"))
    for text in ("a;b\n1;2\n", ",".join(COLUMNS) + "\n" + "1," * 30 + "\n"):
        (tmp_path / TABLE).write_text(text)
        with pytest.raises(OutputExists, match=TABLE):
            run(tmp_path, done("s2"))
        assert (tmp_path / TABLE).read_text() == text


def test_a_refusal_to_write_over_a_scan_keeps_its_row(tmp_path: Path) -> None:
    run(tmp_path, done("s1"))
    refused = CaseResult(1, "refused", OutputExists.code, "HC004", scan_id="s1")
    run(tmp_path, refused)
    assert rows(tmp_path)[0]["status"] == "done"
    run(tmp_path, CaseResult(1, "refused", "HC303", "HC303", scan_id="s1"))
    assert [row["code"] for row in rows(tmp_path)] == ["HC303"]


def test_a_table_of_ours_alone_does_not_make_a_folder_ours(tmp_path: Path) -> None:
    """Somebody copied it beside their own work."""
    run(tmp_path / "ours", done("s1"))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / TABLE).write_bytes((tmp_path / "ours" / TABLE).read_bytes())
    with pytest.raises(OutputExists):
        run(theirs, done("s2"))
    assert [path.name for path in theirs.iterdir()] == [TABLE]


def test_a_file_for_a_folder_and_a_second_writer_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotWritable):
        run(tmp_path / "file", done("s1"))
    with PredictionsFolder.open(tmp_path / "out", HASH), pytest.raises(InUse):
        run(tmp_path / "out", done("s1"))


def test_a_refused_scan_has_the_files_that_there_are_and_no_others(tmp_path: Path) -> None:
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        folder.write_scan("s1", {"report.html": b"why", "notes.txt": b"of nobody"})
    assert [path.name for path in (tmp_path / "s1").iterdir()] == ["report.html"]
    assert (tmp_path / "s1" / "report.html").read_bytes() == b"why"


def test_a_page_written_again_without_its_pdf_leaves_none_of_the_earlier_one(
    tmp_path: Path,
) -> None:
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        folder.write_scan("s1", made())
        (tmp_path / "s1" / "notes.txt").write_text("the user's")
        without = {name: made()[name] for name in FILES if name != PAGE_PDF}
        folder.write_scan("s1", without)
    assert {path.name for path in (tmp_path / "s1").iterdir()} == {*without, "notes.txt"}


def test_what_a_killed_run_left_beside_a_scans_files_goes(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    run(tmp_path / "out", done("s1"))
    left = tmp_path / "out" / "s1" / f"{TEMPORARY}0123.png"
    left.write_text("half")
    run(tmp_path / "out", done("s1"))
    assert {path.name for path in left.parent.iterdir()} == set(FILES)


OLD = "0123456789abcdef"


def make_old(out: Path) -> None:
    """Turn scan x into one as the version before called it, in every file, and forget the names."""
    (out / "x").rename(out / OLD)
    for path in (out / OLD / "prediction.json", out / TABLE, out / ".hemocast.jsonl"):
        text = path.read_text()
        path.write_text(text.replace(",x,", f",{OLD},").replace('"x', f'"{OLD}'))
    page = out / OLD / "report.html"
    page.write_text(f"<title>scan {OLD}</title>")
    record = out / ".hemocast.jsonl"
    lines = [line for line in record.read_text().splitlines() if f"{OLD}/" not in line]
    for path in sorted((out / OLD).iterdir()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(json.dumps({"file": f"{OLD}/{path.name}", "sha256": digest}))
    record.write_text("\n".join(lines) + "\n")
    (out / OLD / "notes.txt").write_text("mine")
    (out / NAMES).unlink()
    (out / LINKAGE).unlink()


def test_scans_called_by_a_hash_without_a_key_get_pseudonyms(tmp_path: Path) -> None:
    run(tmp_path, done("x"), done("sub-0123456789ab_ses-01", 2))
    make_old(tmp_path)
    text = (tmp_path / TABLE).read_text()
    (tmp_path / TABLE).write_text(text.replace("case,", "label,case,").replace("\n", "\n1,", 2))
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        name = scan_name(folder.names.key, OLD)
        assert folder.is_done(name)
    found = {row["scan_id"]: row["label"] for row in rows(tmp_path)}
    assert found == {name: "1", "sub-0123456789ab_ses-01": "1"}
    assert (tmp_path / name / "notes.txt").read_text() == "mine"
    assert json.loads((tmp_path / name / "prediction.json").read_text())["scan_id"] == name
    for path in tmp_path.rglob("*"):
        assert OLD not in path.name
        assert path.is_dir() or OLD.encode() not in path.read_bytes(), path
    run(tmp_path, done(name))  # our files are still known as ours, and the row is replaced
    assert [row["scan_id"] for row in rows(tmp_path)] == ["sub-0123456789ab_ses-01", name]


def test_a_killed_change_of_names_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, done("x"))
    make_old(tmp_path)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    for place, name in ((files.Output, "rename_folders"), (GrowingTable, "write")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, die)
            with pytest.raises(KeyboardInterrupt), PredictionsFolder.open(tmp_path, HASH):
                pass
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        assert folder.is_done(scan_name(folder.names.key, OLD))
    assert OLD not in {path.name for path in tmp_path.iterdir()}


def test_a_page_that_the_user_changed_stays_theirs_under_its_new_name(tmp_path: Path) -> None:
    run(tmp_path, done("x"))
    make_old(tmp_path)
    (tmp_path / OLD / "report.html").write_text(f"{OLD}, seen by K.")
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        name = scan_name(folder.names.key, OLD)
        with pytest.raises(OutputExists):
            folder.check(name)
    assert (tmp_path / name / "report.html").read_text() == f"{name}, seen by K."


def test_a_key_is_refused_where_scans_have_names_without_one(tmp_path: Path) -> None:
    run(tmp_path, done("x"))
    make_old(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    key = tmp_path.parent / f"{tmp_path.name}.key"
    with pytest.raises(UsageError, match="without a key"):
        run_keyed(tmp_path, key)
    assert not key.exists()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    run_keyed(tmp_path / "new", key)
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError):
        run_keyed(tmp_path / "new", tmp_path.parent / "another.key")
    assert not (tmp_path.parent / "another.key").exists()


def run_keyed(out: Path, key: Path) -> None:
    with PredictionsFolder.open(out, HASH, key):
        pass


def test_which_path_a_scan_came_from_is_in_a_table_for_its_owner(tmp_path: Path) -> None:
    run(tmp_path, done("s1"), CaseResult(2, "refused", "HC101", "no"))
    odd = PosixPath("/x/D\nOE\udcff")
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        folder.add(done("s2"), odd)
        folder.add(done("s3", 2), Path("=DOE"))
    table = list(csv.DictReader((tmp_path / LINKAGE).open(encoding="utf-8", newline="")))
    assert [(row["case"], row["path"], row["scan_id"]) for row in table] == [
        ("1", "DOE^JANE/1", "s1"), ("1", r"/x/D\nOE\udcff", "s2"), ("2", "'=DOE", "s3"),
    ]  # fmt: skip
    assert (tmp_path / LINKAGE).stat().st_mode & 0o777 == 0o600
    others = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != LINKAGE]
    assert not any(b"DOE" in path.read_bytes() for path in others)


def test_a_scan_is_done_by_its_row_its_record_and_its_model(tmp_path: Path) -> None:
    """And by the unit of its heatmap: earlier versions' are made again."""
    refused = CaseResult(3, "refused", "HC303", "no", None, "s3")
    run(tmp_path, done("s1"), done("s2", 2), refused, done("s5", 4))
    (tmp_path / "s2" / "prediction.json").unlink()
    older = json.loads((tmp_path / "s5" / "prediction.json").read_text())
    del older["heatmap_unit"]
    (tmp_path / "s5" / "prediction.json").write_text(json.dumps(older))
    with PredictionsFolder.open(tmp_path, HASH) as folder:
        assert [folder.is_done(name) for name in ("s1", "s2", "s3", "s4", "s5")] == [
            True, False, False, False, False,
        ]  # fmt: skip
        assert folder.is_done("s1", pdf=True)
        (tmp_path / "s1" / PAGE_PDF).unlink()
        assert not folder.is_done("s1", pdf=True)
        assert folder.is_done("s1")
        folder.add(CaseResult(7, "skipped", scan_id="s1"), Path("p"))
    assert [row["case"] for row in rows(tmp_path)] == ["1", "2", "3", "4"]


def test_reasons_for_doubt_are_in_the_table_in_words(tmp_path: Path) -> None:
    doubted = SimpleNamespace(
        logit=-0.8,
        label_set_text="{0, 1}",
        probability=0.3,
        probability_interval=(0.2, 0.4),
        threshold=0.5,
        flags=("thick\nslices", "b"),
    )
    result = CaseResult(1, "done", scan_id="s1", prediction=doubted)  # type: ignore[arg-type]
    assert result.row()["flags"] == "thick slices; b"
    assert result.row()["label_set"] == "{0, 1}"


def test_a_folder_is_for_one_prevalence(tmp_path: Path) -> None:
    record = {"schema_version": 2, "scan_id": "s", "prevalence": 0.5, "model": {"hash": HASH}}
    with PredictionsFolder.open(tmp_path, HASH, prevalence=0.5):
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / PREDICTION).write_text(json.dumps(record))
    with (
        pytest.raises(OutputExists, match=r"for a prevalence of 0\.5"),
        PredictionsFolder.open(tmp_path, HASH, prevalence=0.1),
    ):
        pass
    del record["prevalence"], record["schema_version"]
    (tmp_path / "s" / PREDICTION).write_text(json.dumps(record | {"schema_version": 1}))
    with PredictionsFolder.open(tmp_path, HASH, prevalence=0.1):
        pass
