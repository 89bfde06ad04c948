"""DICOM in, a dataset out: pseudonyms, no PHI, only what is new, every refusal with its reason."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from hemocast import files
from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.ingest.refusals import count_reasons
from hemocast.dataset.ingest.run import ingest
from hemocast.dataset.ingest.sessions import DatasetSessions, Identity
from hemocast.dataset.ingest.workers import Workers
from hemocast.dataset.pseudonym import scan_name
from hemocast.dataset.tables.columns import parse_table
from hemocast.dataset.tables.schema import SCHEMAS
from hemocast.dicom import find_scans, make_uid
from hemocast.errors import (
    DatasetError,
    InUse,
    MissingExtra,
    NothingThere,
    NotWritable,
    OutputExists,
    TableError,
    UsageError,
)

KEY = b"k" * 32


@pytest.fixture
def source(tmp_path: Path, write_study: Callable[..., Path]) -> Path:
    """Three patients, one with two studies (written in the wrong order of time)."""
    folder = tmp_path / "source"
    write_study(folder / "x1", "DOE-JANE-77", day=9)
    write_study(folder / "x2", "DOE-JANE-77", day=2)
    write_study(folder / "x3", "ROE-RICHARD-88", day=3)
    write_study(folder / "x4", "POE-EDGAR-99", day=4)
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("patient_id,label\nDOE-JANE-77,1\nROE-RICHARD-88,0\n")
    return path


def test_where_no_scan_is_found_the_labels_are_not_to_blame(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.dcm").write_text("no DICOM")
    report = ingest([tmp_path / "empty"], tmp_path / "out", KEY, labels=labels)
    assert [one.code for one in report.refused] == ["HC102"]
    assert (report.added, report.labels_matched, report.nobody) == (0, 0, None)


def test_a_dataset_has_its_tables_and_scans(source: Path, labels: Path, tmp_path: Path) -> None:
    report = ingest([source], tmp_path / "out", KEY, labels=labels)
    dataset = Dataset(tmp_path / "out")
    assert (report.added, report.already_there, report.unlabelled) == (4, 0, 1)
    jane = participant_id(KEY, "DOE-JANE-77")
    assert dataset.labels() == {jane: 1, participant_id(KEY, "ROE-RICHARD-88"): 0}
    scans = dataset.table("scans")
    assert len(scans) == 4
    mine = scans[scans["participant_id"] == jane]
    assert list(mine["session"]) == ["ses-01", "ses-02"]
    assert list(mine["hours_from_first"]) == ["0", "168"]
    assert all((dataset.root / name).is_file() for name in scans["filename"])
    people = dataset.table("participants")
    assert set(people["age"]) == {"71"}
    assert set(people["sex"]) == {"F"}


def test_nothing_in_the_dataset_identifies_a_patient(
    source: Path, labels: Path, tmp_path: Path
) -> None:
    ingest([source], tmp_path / "out", KEY, labels=labels)
    secrets = ["DOE", "ROE", "POE", "SECRET", "2021", "-77", make_uid("DOE-JANE-77", 9)]
    for path in (tmp_path / "out").rglob("*"):
        assert not any(secret in path.name for secret in secrets)
        if path.suffix in {".json", ".tsv"}:
            text = path.read_text()
            assert not any(secret in text for secret in secrets), path


def test_a_second_run_adds_only_what_is_new(
    source: Path, labels: Path, tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY, labels=labels)
    before = {path: path.read_bytes() for path in out.rglob("*.nii.gz")}
    write_study(source / "x5", "ROE-RICHARD-88", day=20)
    report = ingest([source], out, KEY)
    assert (report.added, report.already_there) == (1, 4)
    assert {path: path.read_bytes() for path in before} == before
    assert Dataset(out).labels()[participant_id(KEY, "ROE-RICHARD-88")] == 0


def contents(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def test_a_run_that_was_stopped_ends_the_same(
    source: Path,
    labels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_study: Callable[..., Path],
) -> None:
    write_study(source / "x0", "DOE-JANE-77", day=5, drop=5)  # its session is not given twice
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    ingest([source], whole, KEY, labels=labels)
    real = files.write_json
    for stop_at in (1, 3, 4):
        calls = []

        def die(path: Path, content: dict[str, object], calls=calls, stop_at=stop_at) -> None:
            calls.append(path)
            if len(calls) == stop_at:
                raise KeyboardInterrupt
            real(path, content)

        shutil.rmtree(broken, ignore_errors=True)
        monkeypatch.setattr(files, "write_json", die)
        with pytest.raises(KeyboardInterrupt):
            ingest([source], broken, KEY, labels=labels)
        monkeypatch.setattr(files, "write_json", real)
        ingest([source], broken, KEY, labels=labels)
        assert contents(broken) == contents(whole)
    assert "ses-03" in (whole / "scans.tsv").read_text()


SCRIPT = """
import sys
from pathlib import Path
from hemocast.dataset.ingest.run import ingest
from hemocast.dataset.ingest.workers import Workers
source, out, labels, workers = sys.argv[1:]
print("ready", flush=True)
ingest([Path(source)], Path(out), b"k" * 32, labels=Path(labels), workers=Workers(int(workers)))
"""


@pytest.mark.parametrize(("workers", "scans"), [(1, 0), (1, 2), (2, 1)])
def test_a_run_that_was_killed_ends_the_same(
    workers: int, scans: int, source: Path, labels: Path, tmp_path: Path
) -> None:
    """Kill the process and its workers outright, when so many scans are there and a bit later."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    ingest([source], whole, KEY, labels=labels)
    command = [sys.executable, "-c", SCRIPT, source, broken, labels, str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        until = time.monotonic() + 60
        while len(list(broken.glob("sub-*/*/ct/*.json"))) < scans and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(random.Random(workers + scans).uniform(0, 0.02))  # noqa: S311
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    ingest([source], broken, KEY, labels=labels)
    assert contents(broken) == contents(whole)


def test_what_a_killed_run_left_is_removed(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    whole = contents(out)
    (out / f"{files.TEMPORARY}1234.tsv").write_text("half")
    (out / "quality" / f"{files.TEMPORARY}1234.tsv").write_text("half")
    killed = DatasetSessions(Dataset(out), KEY)
    (scan,) = filter(None, killed.plan([Identity("P", "study", "uid")]).values())
    killed.save()
    half = out / scan.participant_id / "ses-01" / f"{files.TEMPORARY}1234"
    half.mkdir(parents=True)
    (half / scan.file_name).write_text("half")
    (out / ".bidsignore").write_text("theirs")
    ingest([source], out, KEY)
    sessions = contents(out)["quality/sessions.tsv"]
    assert contents(out) == {**whole, ".bidsignore": b"theirs", "quality/sessions.tsv": sessions}
    assert not half.parent.parent.exists()


def test_the_half_of_a_scan_that_version_01_left_is_made_whole(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    whole = contents(out)
    sidecar = Dataset(out).sidecars()[0]
    sidecar.unlink()
    ingest([source], out, KEY)
    assert contents(out) == whole
    # A file of the user's beside it is no half: nothing is removed, and the scan says so.
    sidecar.unlink()
    mask = sidecar.with_name("mask.nii.gz")
    mask.write_text("theirs")
    before = contents(out)
    report = ingest([source], out, KEY)
    assert [item.code for item in report.refused] == ["HC004"]
    assert mask.read_text() == "theirs"
    assert contents(out).keys() == before.keys()


def test_a_users_own_bids_folder_is_refused_and_not_touched(source: Path, tmp_path: Path) -> None:
    """The data set that version 0.1 destroyed: a scan, its participants, its description."""
    own = tmp_path / "own"
    scan = own / "sub-01" / "ses-01" / "ct" / "sub-01_ses-01_ct.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"the only copy")
    (own / "participants.tsv").write_text("participant_id\tgroup\nsub-01\tA\n")
    (own / "dataset_description.json").write_text('{"Name": "Mine", "BIDSVersion": "1.8.0"}')
    before = contents(own)
    with pytest.raises(OutputExists):
        ingest([source], own, KEY)
    assert contents(own) == before


def test_a_file_where_the_dataset_should_be_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(NotWritable):
        ingest([source], tmp_path / "out", KEY)
    assert (tmp_path / "out").read_text() == "mine"


def test_what_users_add_to_the_tables_stays(
    source: Path, labels: Path, tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY, labels=labels)
    dataset = Dataset(out)
    jane, richard = (participant_id(KEY, name) for name in ("DOE-JANE-77", "ROE-RICHARD-88"))
    added = {
        "participants": {"site": "B", "admission_year": "2021", "age": "72"},
        "scans": {"hours_from_onset": "3.5", "blood": "1"},
        "labels": {"ht_grade": "PH1", "ht_detected_hours": "30", "last_imaging_hours": "99"},
    }
    for name, cells in added.items():
        table = dataset.table(name).assign(**cells)
        if name == "labels":
            table.loc[table["participant_id"] == richard, "label"] = "1"  # corrected by a reader
            table.loc[len(table)] = {"participant_id": "sub-elsewhere", "label": "0"}
        table.fillna("n/a").to_csv(out / f"{name}.tsv", sep="\t", index=False)
    clinical = "participant_id\tnihss\tmy own\nsub-elsewhere\t7\tx\n"
    (out / "clinical.tsv").write_text(clinical)
    description = json.loads((out / "dataset_description.json").read_text())
    description |= {"Name": "Mine", "Authors": ["A"]}
    (out / "dataset_description.json").write_text(json.dumps(description))
    write_study(source / "x5", "NEW-1", day=20)
    assert ingest([source], out, KEY).added == 1
    for name, cells in added.items():
        table = dataset.table(name)
        mine = table[table["participant_id"] == jane]
        assert all(set(mine[column]) == {cell} for column, cell in cells.items()), name
        assert (table["participant_id"] == participant_id(KEY, "NEW-1")).sum() == 1
    assert dataset.labels() == {jane: 1, richard: 1, "sub-elsewhere": 0}
    assert (out / "clinical.tsv").read_text() == clinical
    assert json.loads((out / "dataset_description.json").read_text()) == description
    # The labels given to a run are its word on the patients they name, and on no other.
    ingest([source], out, KEY, labels=labels)
    assert dataset.labels()[richard] == 0
    assert set(dataset.table("labels")["ht_grade"]) == {"PH1", "n/a"}


def test_another_key_is_refused_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    before = contents(out)
    for key in (b"q" * 32, tmp_path / "lost.key"):
        with pytest.raises(UsageError, match=r"named by|another key"):
            ingest([source], out, key)
        assert contents(out) == before
    assert not (tmp_path / "lost.key").exists()
    assert KEY.hex().encode() not in b"".join(before.values())


def unkey(out: Path, uids: dict[str, str]) -> None:
    """Write scan_uid as version 0.1 did: a hash without a key, in sidecars and sessions."""
    for path in (*Dataset(out).sidecars(), out / "quality" / "sessions.tsv"):
        text = path.read_text()
        for keyed, plain in uids.items():
            text = text.replace(keyed, plain)
        path.write_text(text)


@pytest.fixture
def uids(source: Path) -> dict[str, str]:
    """Every scan of the source: its pseudonym, and what version 0.1 called it."""
    plain = [scan.series.scan_uid for scan in find_scans(source).scans]
    return {scan_name(KEY, uid): uid for uid in plain}


def test_a_dataset_of_version_01_takes_the_key_that_named_its_patients(
    source: Path,
    uids: dict[str, str],
    labels: Path,
    tmp_path: Path,
    write_study: Callable[..., Path],
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    path = out / "dataset_description.json"
    description = json.loads(path.read_text())
    check = description.pop("KeyCheck")
    more = write_study(tmp_path / "more", "NEW-1", day=20)

    def older() -> None:
        unkey(out, uids)
        path.write_text(json.dumps(description))
        for name in (files.RECORD, ".hemocast.lock"):
            (out / name).unlink(missing_ok=True)

    older()
    with pytest.raises(UsageError, match="another key"):
        ingest([source], out, b"q" * 32)
    with pytest.raises(UsageError, match=r"version 0\.1"):
        ingest([more], out, KEY)  # nobody in it can prove the key
    assert len(Dataset(out).sidecars()) == 4
    for sources, given in (([source], None), ([more], labels)):
        older()
        ingest(sources, out, KEY, labels=given)
        assert json.loads(path.read_text())["KeyCheck"] == check


def test_an_empty_key_file_that_a_killed_run_left_blocks_nothing(
    source: Path, tmp_path: Path
) -> None:
    key = tmp_path / "out.key"
    key.touch()
    assert ingest([source], tmp_path / "out", key).added == 4
    assert len(bytes.fromhex(key.read_text())) == 32
    assert key.stat().st_mode & 0o777 == 0o600


HOLD = """
import sys, time
from pathlib import Path
from hemocast.dataset import Dataset
with Dataset(Path(sys.argv[1])).writing():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_at_once_until_the_first_has_ended(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", HOLD, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(InUse):
            ingest([source], out, tmp_path / "out.key")
        assert not (tmp_path / "out.key").exists()
        process.send_signal(signal.SIGKILL)
    assert ingest([source], out, tmp_path / "out.key").added == 4


@pytest.mark.parametrize("content", ["{", "[]", '{"participant_id": "sub-1"}', "\0"])
def test_a_damaged_sidecar_is_named_by_its_scan(source: Path, tmp_path: Path, content: str) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    sidecar = Dataset(out).sidecars()[0]
    sidecar.write_text(content)
    with pytest.raises(DatasetError, match=sidecar.name.removesuffix("_ct.json")):
        ingest([source], out, KEY)


def test_two_studies_without_an_identity_stay_two_patients(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study(tmp_path / "s" / "1", "", day=1, patient_name="")
    write_study(tmp_path / "s" / "2", "", day=2, patient_name="")
    write_study(tmp_path / "s" / "3", "", day=3, patient_name="SAME^ONE")
    write_study(tmp_path / "s" / "4", "", day=4, patient_name="SAME^ONE")
    assert ingest([tmp_path / "s"], tmp_path / "out", KEY).added == 4
    scans = Dataset(tmp_path / "out").table("scans")
    assert sorted(scans["participant_id"].value_counts()) == [1, 1, 2]


def test_blood_is_flagged_and_no_brain_or_bright_vessels_are_refused(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study(tmp_path / "s" / "1", "P", day=1)
    write_study(tmp_path / "s" / "2", "P", day=2, clot_mm=16)
    write_study(tmp_path / "s" / "3", "P", day=3, phantom=True)
    write_study(tmp_path / "s" / "4", "P", day=4, vessels=True)
    report = ingest([tmp_path / "s"], tmp_path / "out", KEY)
    assert report.added == 2
    assert sorted(item.code for item in report.refused) == ["HC207", "HC302"]
    scans = Dataset(tmp_path / "out").table("scans")
    assert list(scans["blood"]) == ["0", "1"]
    assert list(scans["hours_from_first"]) == ["0", "24"]
    sidecar = json.loads(Dataset(tmp_path / "out").sidecars()[1].read_text())
    assert sidecar["signs"]["blood"] is True
    assert 5 < sidecar["signs"]["blood_ml"] < 20
    assert 1000 < sidecar["signs"]["brain_ml"] < 2000


def test_every_series_and_file_left_out_has_its_reason(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    source, out = tmp_path / "s", tmp_path / "out"
    kept = write_study(source / "1", "P", day=1)
    more = {"study_uid": make_uid("P", 1), "acquired": datetime(2021, 3, 1)}
    write_study(kept / "b", "P", 7, series_uid="1.2.7", series_number=2, kernel="BONE", **more)
    write_study(kept / "l", "P", 8, n=3, series_uid="1.2.8", series_number=3, **more)
    write_study(source / "2", "Q", day=2, kernel="H70h")
    (source / "note.txt").write_text("no image")
    report = ingest([source], out, KEY)
    assert (report.added, [item.code for item in report.refused]) == (1, ["HC208"])
    table = pd.read_csv(out / "quality" / "left_out.tsv", sep="\t", keep_default_na=False)
    p, q = (participant_id(KEY, name) for name in "PQ")
    assert {(row.participant_id, row.session) for row in table.itertuples()} == {
        (p, "ses-01"), (q, "n/a"), ("n/a", "n/a"),
    }  # fmt: skip
    assert sorted(map(tuple, table[["code", "series"]].to_numpy())) == [
        ("bone-kernel", "1"), ("bone-kernel", "2"), ("not-dicom", "n/a"), ("too-few-slices", "3"),
    ]  # fmt: skip
    assert table.loc[table["code"] == "too-few-slices", "images"].tolist() == [3]
    assert count_reasons(report.left_out) == {
        "reconstructed for bone": 2,
        "too few slices or too little height for a head": 1,
        "not DICOM images": 1,
    }
    # A later run over other studies leaves these reasons; one over the same tells them anew.
    before = contents(out / "quality")
    write_study(tmp_path / "t", "R", day=4)
    ingest([tmp_path / "t"], out, KEY)
    assert contents(out / "quality")["refused.tsv"] == before["refused.tsv"]
    shutil.rmtree(source / "2")
    write_study(source / "2", "Q", day=2)
    ingest([source], out, KEY)
    assert q not in (out / "quality" / "refused.tsv").read_text()


def test_a_source_that_cannot_be_opened_costs_only_itself(source: Path, tmp_path: Path) -> None:
    broken, text = tmp_path / "SECRET.zip", tmp_path / "SECRET.txt"
    broken.write_bytes(b"PK\x03\x04 and no more")
    text.write_text("no image")
    report = ingest([broken, source, text], tmp_path / "out", KEY)
    assert report.added == 4
    assert [item.code for item in report.refused] == ["HC107", "HC102"]
    assert report.refused[1].message.startswith("Source 3 of 3")
    assert "SECRET" not in repr(report)
    with pytest.raises(NothingThere):
        ingest([source, tmp_path / "nowhere"], tmp_path / "other", KEY)
    assert not (tmp_path / "other").exists()


def test_ages_above_90_are_told_as_90(tmp_path: Path, write_study: Callable[..., Path]) -> None:
    write_study(tmp_path / "s", "P", age=97)
    ingest([tmp_path / "s"], tmp_path / "out", KEY)
    assert list(Dataset(tmp_path / "out").table("participants")["age"]) == ["90"]


def test_the_tables_pass_their_own_schema(source: Path, labels: Path, tmp_path: Path) -> None:
    ingest([source], tmp_path / "out", KEY, labels=labels)
    scans = Dataset(tmp_path / "out").table("scans")
    schema = next(s for s in SCHEMAS if s.name == "scans")
    assert parse_table(schema, scans).faults == ()
    assert set(scans["manufacturer"]) == {"GE"}


def test_media_with_a_directory_are_walked(source: Path, tmp_path: Path) -> None:
    """A DICOMDIR, as pydicom's own writer makes it, whose files have names of eight letters."""
    from pydicom.fileset import FileSet

    files = FileSet()
    for path in source.rglob("*"):
        if path.is_file():
            files.add(path)
    files.write(tmp_path / "medium")
    assert (tmp_path / "medium" / "DICOMDIR").is_file()
    report = ingest([tmp_path / "medium"], tmp_path / "out", KEY)
    assert (report.added, report.refused) == (4, ())
    ingest([source], tmp_path / "plain", KEY)
    for path in (tmp_path / "plain").rglob("*.nii.gz"):
        twin = tmp_path / "out" / path.relative_to(tmp_path / "plain")
        assert twin.read_bytes() == path.read_bytes()


def test_folders_zips_and_nifti_mix(
    source: Path, tmp_path: Path, write_study: Callable[..., Path], write_nii: Callable[..., Path]
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in write_study(tmp_path / "z", "Z").rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    write_nii(source / "sub-NII_ses-2_ct.nii.gz")
    report = ingest([source, tmp_path / "a.zip"], tmp_path / "out", KEY)
    assert (report.added, report.refused) == (6, ())
    assert ingest([source, tmp_path / "a.zip"], tmp_path / "out", KEY).already_there == 6


def test_nobody_without_the_key_can_test_a_list_of_uids(
    source: Path, uids: dict[str, str], tmp_path: Path
) -> None:
    """Hashes of UIDs without a key stood in sidecars and sessions."""
    ingest([source], tmp_path / "out", KEY)
    text = "".join(b.decode("latin-1") for b in contents(tmp_path / "out").values())
    assert all(keyed in text and plain not in text for keyed, plain in uids.items())
    ingest([source], tmp_path / "other", b"q" * 32)
    other = "".join(b.decode("latin-1") for b in contents(tmp_path / "other").values())
    assert not any(keyed in other for keyed in uids)


@pytest.mark.parametrize("says_its_key", [True, False])
def test_a_dataset_with_uids_of_version_01_is_known_again_and_gets_pseudonyms(
    *, says_its_key: bool, source: Path, uids: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    whole = contents(out)
    unkey(out, uids)
    if not says_its_key:
        path = out / "dataset_description.json"
        description = json.loads(path.read_text())
        del description["KeyCheck"]
        path.write_text(json.dumps(description))
    assert contents(out) != whole
    with pytest.raises(UsageError, match="another key"):
        ingest([source], out, b"q" * 32)
    report = ingest([source], out, KEY)
    assert (report.added, report.already_there, report.refused) == (0, 4, ())
    assert contents(out) == whole


def test_what_a_user_wrote_in_a_sidecar_stays_when_it_gets_its_pseudonym(
    source: Path, uids: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY)
    unkey(out, uids)
    path = Dataset(out).sidecars()[0]
    own = json.loads(path.read_text()) | {"mine": ["seen", 1]}
    path.write_text(json.dumps(own))
    ingest([source], out, KEY)
    assert json.loads(path.read_text()) == own | {"scan_uid": scan_name(KEY, own["scan_uid"])}


@pytest.mark.slow
def test_a_cluster_gives_the_same(source: Path, labels: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        report = ingest(
            [source], tmp_path / "far", KEY, labels=labels, workers=Workers(cluster=address)
        )
    assert (report.added, report.refused) == (4, ())
    ingest([source], tmp_path / "near", KEY, labels=labels)
    assert contents(tmp_path / "far") == contents(tmp_path / "near")


def test_a_cluster_that_is_not_there_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match="cluster"):
        ingest([source], tmp_path / "out", KEY, workers=Workers(cluster="tcp://127.0.0.1:9"))
    assert not (tmp_path / "out").exists()


def test_a_refused_study_costs_only_itself(
    source: Path, tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study(source / "x6", "GAP-1", drop=5)
    write_study(source / "x7", "CONTRAST-1", contrast_agent="IODINE")
    report = ingest([source], tmp_path / "out", KEY)
    assert report.added == 4
    assert {item.code for item in report.refused} == {"HC203", "HC207"}
    refused = (tmp_path / "out" / "quality" / "refused.tsv").read_text()
    assert participant_id(KEY, "GAP-1") in refused
    assert "GAP" not in refused


def test_processes_give_the_same_as_one(source: Path, labels: Path, tmp_path: Path) -> None:
    ingest([source], tmp_path / "one", KEY, labels=labels)
    ingest([source], tmp_path / "two", KEY, labels=labels, workers=Workers(2))
    for path in (tmp_path / "one").rglob("*.tsv"):
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == twin.read_bytes()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("patient_id,label\nA,2\nB,\n", "rows 2, 3, column label: 0 or 1"),
        ("patient_id,label\nA,1\nA,0\n", "row 3, column patient_id: every row once"),
        ("id,outcome\nA,1\n", "column patient_id: the column is missing; it has id, outcome"),
        ("", "is empty"),
    ],
)
def test_bad_labels_are_refused_before_anything_is_written(
    source: Path, tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=fault):
        ingest([source], tmp_path / "out", KEY, labels=path)
    assert not (tmp_path / "out").exists()


def test_a_simulated_source_makes_a_simulated_dataset(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study(tmp_path / "s", "SIM1", image_comments="SIMULATED - not a patient")
    ingest([tmp_path / "s"], tmp_path / "out", KEY)
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["Simulated"] is True
    assert Dataset(tmp_path / "out").is_simulated()


def test_what_cannot_be_read_costs_its_study_and_is_told_until_it_can(
    source: Path, tmp_path: Path
) -> None:
    slices = sorted((source / "x3").iterdir())
    kept = slices[6].read_bytes()
    slices[6].unlink()
    slices[6].symlink_to(tmp_path / "gone")
    report = ingest([source], tmp_path / "out", KEY)
    assert report.added == 3
    richard = participant_id(KEY, "ROE-RICHARD-88")
    table = Dataset(tmp_path / "out").table("quality/refused")
    assert list(table["code"]) == ["HC109"]  # there was a second row, of the source, for the same
    assert list(table["participant_id"]) == [richard]
    assert "RICHARD" not in table.to_csv()
    slices[6].unlink()
    slices[6].write_bytes(kept)
    report = ingest([source], tmp_path / "out", KEY)
    assert (report.added, report.already_there, report.refused) == (1, 3, ())
    assert len(Dataset(tmp_path / "out").table("quality/refused")) == 0
