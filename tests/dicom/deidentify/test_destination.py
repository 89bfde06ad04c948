"""Where clean files go: never over or into what the user made; one key, one run at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hemocast import files
from hemocast.dataset import participant_id
from hemocast.dataset.pseudonym import date_shift
from hemocast.dicom.deidentify import destination
from hemocast.dicom.deidentify.export import Exported, Keyed, deidentify
from hemocast.errors import HemocastError, InUse, NotWritable, OutputExists, UsageError

KEY, OTHER = b"k" * 32, b"o" * 32


def keyed(key: bytes = KEY) -> Keyed:
    return Keyed(key, partial(participant_id, key), partial(date_shift, key))


def export(source: Path, out: Path, key: bytes = KEY) -> Exported:
    return deidentify([source], out, keyed(key))


def content(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@dataclass
class Case:
    """Two patients' scans."""

    one: Path
    two: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Any], scan: Any) -> Case:
    root = tmp_path_factory.mktemp("scans")
    plain = scan(size=16, heights=(0.0, 5.0))
    write(plain, root / "one")
    write(plain.with_header(patient_id="PID-2"), root / "two")
    return Case(root / "one", root / "two")


NAMES = st.one_of(
    st.sampled_from(
        [
            "left_behind.tsv",
            "deidentified.json",
            "sub-0123456789ab/study-0123456789ab/series-0123456789ab/0123456789ab.dcm",
            "sub-0123456789ab/study-0123456789ab/.series-0123456789ab.partial/0123456789ab.dcm",
            "sub-0123456789ab/notes.txt",
            "thesis.docx",
            ".hemocast-abc/data",
        ]
    ),
    st.text("abcXYZ.-_ ", min_size=1, max_size=12).filter(lambda name: name.strip(". ") != ""),
)
OURS_BY_NAME = {
    "left_behind.tsv": b"mine",
    "sub-0123456789ab/study-0123456789ab/series-0123456789ab/0123456789ab.dcm": b"my own image",
}


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(tree=st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=6))
@example(tree=OURS_BY_NAME)
def test_a_folder_of_the_users_own_keeps_every_byte(case: Case, tree: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        own = Path(name, "own")
        for path, data in tree.items():
            target = own / path
            if not any(part.is_file() for part in target.parents) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        before = content(own)
        with pytest.raises(OutputExists):
            export(case.one, own)
        with pytest.raises(HemocastError):  # no DICOM in it, or the target in the source
            export(own, own / "clean")
        assert content(own) == before


def test_what_users_put_into_an_export_stays(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(case.one, out).written == 2
    series = next(out.glob("sub-*/study-*/series-*"))
    mine = [out / "README", series / "notes.txt", series.parent / "mine" / "picture.png"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    report = export(case.one.parent, out)
    assert (report.written, report.already_there) == (2, 2)
    assert [path.read_text() for path in mine] == ["mine"] * 3


def test_a_table_that_the_user_changed_is_not_written_over(case: Case, tmp_path: Path) -> None:
    broken = tmp_path / "in"
    broken.mkdir()
    original = next(case.one.iterdir())
    (broken / "a").write_bytes(original.read_bytes()[:-100])
    out = tmp_path / "out"
    export(broken, out)
    table = out / "left_behind.tsv"
    assert table.read_text().startswith("participant_id\tfiles\tcode\treason\n")
    table.write_text("my own remarks")
    with pytest.raises(OutputExists):
        export(broken, out)
    assert table.read_text() == "my own remarks"


def test_a_table_of_an_earlier_run_goes_when_nothing_is_left_behind(
    case: Case, tmp_path: Path
) -> None:
    broken, out = tmp_path / "in", tmp_path / "out"
    broken.mkdir()
    original = next(case.one.iterdir()).read_bytes()
    (broken / "a").write_bytes(original[:-100])
    export(broken, out)
    (broken / "a").write_bytes(original)
    assert export(broken, out).written == 1
    assert not (out / "left_behind.tsv").exists()


def test_two_at_once_are_refused(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with files.claim(out, destination.KIND):
        before = content(out)
        with pytest.raises(InUse):
            export(case.one, out)
        assert content(out) == before


def test_another_key_would_give_a_patient_a_second_name(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(case.one, out)
    before = content(out)
    with pytest.raises(UsageError):
        export(case.one, out, OTHER)
    assert content(out) == before
    assert KEY.hex() not in (out / destination.ABOUT).read_text()


def of_before(out: Path) -> None:
    """Take from an export what version 0.1 did not write, and leave what it did when killed."""
    for path in out.iterdir():
        if not path.name.startswith("sub-"):
            path.unlink()
    series = next(out.glob("sub-*/study-*/series-*"))
    half = series.with_name(f".{series.name}.partial")
    half.mkdir()
    (half / next(series.iterdir()).name).write_bytes(b"half")
    (out / "left_behind.tsv").write_text("participant_id\tfiles\tcode\treason\n")


def test_an_export_of_version_0_1_goes_on_under_its_key(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(case.one, out)
    of_before(out)
    for source, key in ((case.one, OTHER), (case.two, KEY)):
        with pytest.raises(UsageError):  # nothing shows whether the key is the right one
            export(source, out, key)
    report = export(case.one.parent, out)
    assert (report.written, report.already_there) == (2, 2)
    assert not (out / "left_behind.tsv").exists()
    assert export(case.two, out).already_there == 2


def test_places_that_cannot_be_written_to_are_refused_first(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for out in (file, file / "below"):
        with pytest.raises(NotWritable):
            destination.check([case.one], out)
    assert file.read_text() == "mine"


def test_a_link_into_the_source_is_seen_through(case: Case, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(case.one, target_is_directory=True)
    before = content(case.one)
    with pytest.raises(UsageError):
        export(case.one, tmp_path / "link" / "clean")
    assert content(case.one) == before
