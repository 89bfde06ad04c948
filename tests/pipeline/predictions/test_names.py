"""Names: those of ingest under a key, else pseudonyms that only this output folder can make."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.dataset import participant_id
from hemocast.dataset.ingest.sources import Candidate, Gathered, gather
from hemocast.dataset.pseudonym import scan_name
from hemocast.dicom import write_nifti
from hemocast.dicom.files.archive import Opened
from hemocast.errors import OutputExists, SeveralScans, UsageError
from hemocast.files import claim
from hemocast.pipeline.predictions.cases import Case
from hemocast.pipeline.predictions.names import NAMES, Names, key_of_table

KEY = b"k" * 32


@pytest.fixture
def nii(tmp_path: Path) -> Callable[..., tuple[Case, Candidate]]:
    """Return a function that writes a NIfTI and gives it as a case and as a candidate."""

    def make(name: str, seed: int = 3, **given: str) -> tuple[Case, Candidate]:
        path = tmp_path / "in" / name
        write_nifti(np.full((3, 4, 5), float(seed)), np.diag([-3.0, -3.0, 12.0, 1.0]), path)
        (candidate,) = gather(Opened(path)).candidates
        return Case(path, **given), candidate

    return make


def test_a_folders_own_key_is_kept_for_its_owner_and_names_the_same_scan_alike(
    tmp_path: Path, nii: Callable[..., tuple[Case, Candidate]]
) -> None:
    out = tmp_path / "out"
    case, scan = nii("DOE.nii.gz")
    names = Names(out, None)
    names.save()
    patient, scan_id = names.of(case, scan)
    assert patient is None
    assert scan_id == scan_name(names.key, scan.identity.scan_uid)
    assert (out / NAMES).stat().st_mode & 0o777 == 0o600
    assert Names(out, None).of(case, scan) == (None, scan_id)
    assert Names(tmp_path / "other", None).of(case, scan)[1] != scan_id


def test_another_way_of_naming_is_refused(tmp_path: Path) -> None:
    own, keyed = tmp_path / "own", tmp_path / "keyed"
    Names(own, None).save()
    Names(keyed, KEY).save()
    assert KEY.hex() not in (keyed / NAMES).read_text()
    for out, key in ((own, KEY), (keyed, None), (keyed, b"q" * 32)):
        with pytest.raises(UsageError):
            Names(out, key)
    for text in ("{", "[]", '{"schema_version": 1}', '{"key": "zz"}', '{"more": 1}'):
        (own / NAMES).write_text(text)
        with pytest.raises(OutputExists, match=NAMES):
            Names(own, None)


def test_under_a_key_numbers_are_kept_for_the_next_run(
    tmp_path: Path, nii: Callable[..., tuple[Case, Candidate]]
) -> None:
    (a, first), (b, second) = nii("sub-X_a.nii.gz", 1), nii("sub-X_b.nii.gz", 2)
    names = Names(tmp_path / "out", KEY)
    names.plan([b])
    names.save()
    person = participant_id(KEY, "X")
    assert names.of(b, second) == (person, f"{person}_ses-01")
    again = Names(tmp_path / "out", KEY)
    again.plan([a, b])
    assert again.of(a, first) == (person, f"{person}_ses-02")
    assert again.of(b, second) == (person, f"{person}_ses-01")


def test_two_files_called_the_same_are_refused_under_a_key(
    tmp_path: Path, nii: Callable[..., tuple[Case, Candidate]]
) -> None:
    (a, first), (b, second) = nii("1/head.nii.gz", 1), nii("2/head.nii.gz", 2)
    names = Names(tmp_path / "out", KEY)
    names.plan([a, b])
    for case, scan in ((a, first), (b, second)):
        with pytest.raises(SeveralScans):
            names.of(case, scan)


def test_names_that_a_table_gives_win(
    tmp_path: Path, nii: Callable[..., tuple[Case, Candidate]]
) -> None:
    case, scan = nii("DOE.nii.gz", participant_id="P-1")
    keyed = Names(tmp_path / "keyed", KEY)
    keyed.plan([case])
    keyed.save()
    assert keyed.of(case, scan) == ("P-1", "P-1_ses-01")
    assert Names(tmp_path / "keyed", KEY).key == KEY
    own = Names(tmp_path / "own", None)
    assert own.of(case, scan) == ("P-1", scan_name(own.key, scan.identity.scan_uid))
    whole = replace(case, scan_id="P-1_x")
    assert own.of(whole, scan) == keyed.of(whole, scan) == ("P-1", "P-1_x")


def test_a_datasets_file_keeps_its_name_and_under_a_key_only_at_home(
    tmp_path: Path, nii: Callable[..., tuple[Case, Candidate]]
) -> None:
    name = "sub-0123456789ab_ses-07"
    case, scan = nii(f"sub-0123456789ab/ses-07/ct/{name}_ct.nii.gz")
    assert Names(tmp_path / "own", None).of(case, scan) == (name.split("_")[0], name)
    keyed = Names(tmp_path / "keyed", KEY)
    keyed.plan([case])
    person = participant_id(KEY, "0123456789ab")  # as ingest would call it
    assert keyed.of(case, scan) == (person, f"{person}_ses-07")
    about = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}]}
    (tmp_path / "in" / "dataset_description.json").write_text(json.dumps(about))
    assert keyed.of(case, scan) == (name.split("_")[0], name)


def test_several_patients_or_scans_under_one_name_are_refused(tmp_path: Path) -> None:
    own, keyed = Names(tmp_path / "a", None), Names(tmp_path / "b", KEY)
    plain, given = Case(Path("x")), Case(Path("x"), "P-1")
    two = Gathered(patients=2)
    for names, case, code in (
        (own, plain, "HC202"), (own, given, "HC202"), (keyed, given, "HC202"), (keyed, plain, None),
    ):  # fmt: skip
        assert getattr(names.refusal_of(case, two), "code", None) == code


def test_the_key_of_a_table_is_the_folders_own_or_the_one_given(tmp_path: Path) -> None:
    own, keyed, secret = tmp_path / "own", tmp_path / "keyed", tmp_path / "project.key"
    for folder in (own, keyed):
        folder.mkdir()
    names = Names(own, None)
    names.save()
    Names(keyed, KEY).save()
    secret.write_text(KEY.hex())
    assert key_of_table(own / "predictions.csv", None) == names.key
    assert key_of_table(keyed / "predictions.csv", None) is None
    assert key_of_table(keyed / "predictions.csv", secret) == KEY
    assert key_of_table(tmp_path / "of-others.csv", secret) == KEY
    assert key_of_table(own / "predictions.csv", secret) == KEY  # of a dataset's scans
    secret.write_text("00" * 32)
    with pytest.raises(UsageError, match="another key"):
        key_of_table(keyed / "predictions.csv", secret)


def test_a_file_of_the_same_name_beside_a_table_of_others_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / NAMES).write_text('["Anna", "Bert"]')
    assert key_of_table(tmp_path / "predictions.csv", None) is None
    with claim(tmp_path / "ours", "predictions"):
        (tmp_path / "ours" / NAMES).write_text("changed")
    with pytest.raises(OutputExists, match="was changed"):
        key_of_table(tmp_path / "ours" / "predictions.csv", None)


def test_without_a_key_a_patient_has_a_pseudonym_of_the_folder(
    tmp_path: Path, nii: Callable[..., tuple[Case, Candidate]]
) -> None:
    case, scan = nii("DOE.nii.gz")
    told = replace(scan, identity=replace(scan.identity, patient="P1", alone=False))
    names = Names(tmp_path / "out", None)
    assert names.of(case, told)[0] == participant_id(names.key, "P1")
