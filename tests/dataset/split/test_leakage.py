"""Leaks are found and named: patients in two parts, and scans under two names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast import dicom
from hemocast.dataset.layout import Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.split.leakage import (
    Copy,
    check_leakage,
    files_of_split,
    find_copies,
    refuse_leaks,
)
from hemocast.dataset.split.saved import read_parts, read_split
from hemocast.errors import LeakageError
from hemocast.simulate import Person, render_head
from hemocast.volume import FloatArray

PAPER = [f"sub-{i:04d}" for i in range(474)]


def _papers_split() -> dict[str, list[str]]:
    """437 + 61 patients out of 474: 24 in both (Zhang 2026, Table 1)."""
    return {"train": PAPER[:437], "test": PAPER[-61:]}


def test_the_papers_split_is_caught_and_its_24_patients_named() -> None:
    report = check_leakage(_papers_split())
    assert report.leaks
    assert report.patients == tuple(PAPER[413:437])
    (overlap,) = report.overlaps
    assert overlap.share_of_second == pytest.approx(24 / 61)
    with pytest.raises(LeakageError) as refusal:
        refuse_leaks(report)
    assert "24 patient(s) in both train and test (39.3 % of test)" in str(refusal.value)
    assert all(patient in str(refusal.value) for patient in PAPER[413:437])


def test_the_papers_split_is_caught_when_made_by_scan(tmp_path: Path) -> None:
    """A split of images: 24 patients have one image here and another there."""
    rows = [(f"{patient}_ses-01", "train") for patient in PAPER[:437]]
    rows += [(f"{patient}_ses-02", "test") for patient in PAPER[-61:]]
    path = tmp_path / "paper.tsv"
    path.write_text("scan_id\tpart\n" + "".join(f"{scan}\t{part}\n" for scan, part in rows))
    assert len(check_leakage(read_parts(path)).patients) == 24
    with pytest.raises(LeakageError, match=r"24 patient\(s\)"):
        read_split(path)


def test_a_clean_split_passes() -> None:
    report = check_leakage({"train": PAPER[:400], "tune": PAPER[400:420], "test": PAPER[420:]})
    assert not report.leaks
    assert [len(overlap.patients) for overlap in report.overlaps] == [0, 0, 0]
    refuse_leaks(report)


def test_a_copy_leaks_only_between_parts() -> None:
    parts = {"train": ["sub-a", "sub-b"], "test": ["sub-c"]}

    def copy(first: str, second: str) -> Copy:
        return Copy(f"{first}_ses-01", f"{second}_ses-01", False, 0.9)

    copies = [copy("sub-a", "sub-b"), copy("sub-b", "sub-c"), copy("sub-a", "sub-unused")]
    report = check_leakage(parts, copies, 4)
    assert report.copies_within == (copies[0],)
    assert report.copies_between == (copies[1],)
    assert report.patients == ("sub-b", "sub-c")
    with pytest.raises(LeakageError, match=r"1 scan\(s\) under two names in two parts: sub-b"):
        refuse_leaks(report)


@pytest.fixture(scope="module")
def heads() -> list[FloatArray]:
    """Three patients."""
    return [render_head(seed, Person(60 + 5 * seed)).hu for seed in range(3)]


def _write(root: Path, name: str, hu: FloatArray) -> None:
    path = Dataset(root).scan_path(ScanId(name, "ses-01"))
    path.parent.mkdir(parents=True)
    dicom.write_nifti(hu, np.diag([-1.0, -1.0, 5.0, 1.0]), path, dtype="int16")
    path.with_name(path.name.replace(".nii.gz", ".json")).write_text("{}")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_scans_under_two_names_are_found(
    tmp_path: Path, heads: list[FloatArray], workers: int
) -> None:
    for name, hu in zip("abc", heads, strict=True):
        _write(tmp_path, f"sub-{name}", hu)
    _write(tmp_path, "sub-exact", np.rint(heads[0]))
    exported = np.clip(heads[1], -1000, 150)[1:, :, ::-1] * 1.02 + 3
    _write(tmp_path, "sub-exported", exported)
    _write(tmp_path, "sub-unused", heads[2])
    parts = {"train": ["sub-a", "sub-b", "sub-c"], "test": ["sub-exact", "sub-exported"]}
    scans = files_of_split(Dataset(tmp_path), parts)
    assert len(scans) == 5
    seen: list[tuple[int, int]] = []
    copies = find_copies(scans, workers=workers, progress=lambda *step: seen.append(step))
    assert [(copy.first, copy.second, copy.exact) for copy in copies] == [
        ("sub-a_ses-01", "sub-exact_ses-01", True),
        ("sub-b_ses-01", "sub-exported_ses-01", False),
    ]
    assert seen[-1] == (5, 5)
    report = check_leakage(parts, copies, len(scans))
    assert report.patients == ("sub-a", "sub-b", "sub-exact", "sub-exported")


def test_no_scans_have_no_copies() -> None:
    assert find_copies({}) == ()
