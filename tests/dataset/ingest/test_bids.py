"""NIfTI files: whose they are by their names, what they are by their sidecars."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.ingest.bids import Naming, find_nifti_scans, naming
from hemocast.dataset.ingest.run import ingest
from hemocast.dicom.files.archive import Opened

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/data/sub-07/ses-02/ct/sub-07_ses-02_ct.nii.gz", Naming("07", 2, bids=True)),
        ("sub-A1_ct.nii", Naming("A1", None, bids=True)),
        ("sub-A1_ses-20210309_ct.nii", Naming("A1", None, bids=True)),
        ("sub-A1/ses-3/scan.nii.gz", Naming("A1", 3, bids=True)),
        (r"sub-A1\ses-3\scan.nii.gz", Naming("A1", 3, bids=True)),
        ("folder/DOE_JANE.NII.GZ", Naming("DOE_JANE", None, bids=False)),
        ("mysub-A1_ct.nii", Naming("mysub-A1_ct", None, bids=False)),
    ],
)
def test_a_name_tells_patient_and_session(name: str, expected: Naming) -> None:
    assert naming(name) == expected


@pytest.fixture
def tree(tmp_path: Path, write_nii: Callable[..., Path]) -> Path:
    """Two patients named as BIDS does, one of them twice, and what is no scan of its own."""
    root = tmp_path / "tree"
    write_nii(
        root / "sub-DOE" / "ses-02" / "ct" / "sub-DOE_ses-02_ct.nii.gz",
        2,
        AcquisitionDateTime="2021-03-09T12:30:00",
        PatientAge="093Y",
        PatientSex="F",
        Manufacturer="SIEMENS Dr. SECRET",
        ManufacturersModelName="SOMATOM SECRETX 64",
        ConvolutionKernel="H30s",
        PatientName="SECRET",
        InstitutionName="SECRET",
        ProtocolName="SECRET",
        KVP=120,
    )
    write_nii(root / "sub-DOE" / "ses-05" / "ct" / "sub-DOE_ses-05_ct.nii.gz", 3)
    write_nii(root / "sub-ROE_ct.nii.gz", 4)
    write_nii(root / "derivatives" / "sub-DOE" / "sub-DOE_ses-01_ct.nii.gz", 5)
    return root


def told(out: Path) -> str:
    texts = [str(path) for path in out.rglob("*")]
    texts += [path.read_text() for path in out.rglob("*") if path.suffix in (".json", ".tsv")]
    return "\n".join(texts)


@pytest.mark.parametrize("packed", [False, True])
def test_a_tree_of_nifti_files(tree: Path, packed: bool, tmp_path: Path) -> None:
    source, out = tree, tmp_path / "out"
    if packed:
        source = tmp_path / "tree.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in sorted(tree.rglob("*")):
                archive.write(path, path.relative_to(tree))
    labels = tmp_path / "labels.csv"
    labels.write_text("patient_id,label\nsub-DOE,1\nROE,0\n")
    report = ingest([source], out, KEY, labels=labels)
    assert (report.added, report.refused, report.unlabelled) == (3, (), 0)
    doe, roe = participant_id(KEY, "DOE"), participant_id(KEY, "ROE")
    scans = Dataset(out).table("scans").set_index("scan_id")
    assert set(scans.index) == {f"{doe}_ses-02", f"{doe}_ses-05", f"{roe}_ses-01"}
    assert Dataset(out).labels() == {doe: 1, roe: 0}
    first = scans.loc[f"{doe}_ses-02"]
    assert (first["manufacturer"], first["model"]) == ("SIEMENS", "SOMATOM _ 64")
    assert (first["kernel"], first["blood"]) == ("H30S", "0")
    assert first["acq_time"].startswith("19")
    people = Dataset(out).table("participants").set_index("participant_id")
    assert (people.loc[doe, "age"], people.loc[doe, "sex"]) == ("90", "F")
    assert not any(word in told(out) for word in ("SECRET", "DOE", "ROE", "2021"))
    assert ingest([source], out, KEY).already_there == 3


def test_words_of_the_sidecar_rule_a_scan_out(
    tmp_path: Path, write_nii: Callable[..., Path]
) -> None:
    write_nii(tmp_path / "s" / "sub-1_ct.nii.gz", 1, ContrastBolusAgent="IOPAMIDOL")
    write_nii(tmp_path / "s" / "sub-2_ct.nii.gz", 2, ConvolutionKernel="H70h")
    write_nii(tmp_path / "s" / "sub-3_ct.nii.gz", 3, SeriesDescription="CHEST")
    report = ingest([tmp_path / "s"], tmp_path / "out", KEY)
    assert sorted(item.code for item in report.refused) == ["HC201", "HC207", "HC208"]
    assert report.added == 0


def test_words_of_the_sidecar_that_prove_nothing_are_a_doubt(
    tmp_path: Path, write_nii: Callable[..., Path]
) -> None:
    write_nii(tmp_path / "s" / "sub-1_ct.nii.gz", 1, SeriesDescription="HEAD POST")
    write_nii(tmp_path / "s" / "sub-2_ct.nii.gz", 2, SeriesDescription="Kopf nativ")
    scans = find_nifti_scans(Opened(tmp_path / "s"), {})
    doubts = [any("contrast agent" in d for d in scan.read().source.doubts) for scan in scans]
    assert doubts == [True, False]


@pytest.mark.parametrize("content", ["{", "[1]", json.dumps({"PatientAge": [], "KVP": "x"}), ""])
def test_a_sidecar_that_says_nothing_does_no_harm(
    content: str, tmp_path: Path, write_nii: Callable[..., Path]
) -> None:
    write_nii(tmp_path / "s" / "DOE.nii.gz")
    (tmp_path / "s" / "DOE.json").write_text(content)
    assert ingest([tmp_path / "s"], tmp_path / "out", KEY).added == 1
    people = Dataset(tmp_path / "out").table("participants")
    assert list(people["participant_id"]) == [participant_id(KEY, "DOE")]


def test_one_name_in_many_folders_is_nobody(tmp_path: Path, write_nii: Callable[..., Path]) -> None:
    """Two patients' `head.nii.gz` must not become one patient, now or in a later run."""
    write_nii(tmp_path / "s" / "p1" / "head.nii.gz", 1)
    write_nii(tmp_path / "s" / "p2" / "head.nii.gz", 2)
    report = ingest([tmp_path / "s"], tmp_path / "out", KEY)
    assert (report.added, [item.code for item in report.refused]) == (0, ["HC209"] * 2)
    assert ingest([tmp_path / "s" / "p1"], tmp_path / "later", KEY).added == 1
    assert ingest([tmp_path / "s" / "p1"], tmp_path / "later", KEY).refused == ()
    report = ingest([tmp_path / "s" / "p2"], tmp_path / "later", KEY)
    assert (report.added, [item.code for item in report.refused]) == (0, ["HC209"])


def test_a_simulated_sidecar_makes_a_simulated_dataset(
    tmp_path: Path, write_nii: Callable[..., Path]
) -> None:
    write_nii(tmp_path / "s" / "sub-1_ct.nii.gz", 1, ImageComments="SIMULATED - not a patient")
    ingest([tmp_path / "s"], tmp_path / "out", KEY)
    assert Dataset(tmp_path / "out").is_simulated()
    # Ingested again, as a dataset, it stays so.
    ingest([tmp_path / "out"], tmp_path / "again", KEY)
    assert Dataset(tmp_path / "again").is_simulated()


def test_a_scan_whose_sidecar_cannot_be_read_is_refused_and_others_enter(
    tree: Path, tmp_path: Path
) -> None:
    """The sidecar may say that contrast agent was given."""
    before = ingest([tree], tmp_path / "before", KEY)
    (sidecar,) = tree.rglob("sub-DOE_ses-02_ct.json")
    sidecar.unlink()
    sidecar.symlink_to("/proc/self/mem")
    report = ingest([tree], tmp_path / "out", KEY)
    assert report.added == before.added - 1
    mine = participant_id(KEY, "DOE")
    assert [r.participant_id for r in report.refused if r.code == "HC109"].count(mine) == 1


def test_a_nifti_file_that_cannot_be_read_is_told_of_its_source(tree: Path, tmp_path: Path) -> None:
    before = ingest([tree], tmp_path / "before", KEY)
    (tree / "sub-NEW_ct.nii.gz").symlink_to("/proc/self/mem")
    report = ingest([tree], tmp_path / "out", KEY)
    assert report.added == before.added
    (lost,) = set(report.refused) - set(before.refused)
    assert (lost.participant_id, lost.code) == ("n/a", "HC109")
    assert lost.message.startswith("Source 1 of 1: HC109 1 file")
