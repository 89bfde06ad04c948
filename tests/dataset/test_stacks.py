"""Scans of a dataset, prepared: in their order, and each refusal with its reason."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hemocast.config import PrepareConfig
from hemocast.dataset import Dataset
from hemocast.dataset.ingest.run import ingest
from hemocast.dataset.maps import FOLDER, map_name
from hemocast.dataset.stacks import prepare_scans, scans_of
from hemocast.dicom import read_nifti, write_nifti
from hemocast.errors import DatasetError
from hemocast.volume import Volume

SMALL = PrepareConfig(size=64, pixel_mm=3.0)


@pytest.fixture
def dataset(tmp_path: Path, write_study: Callable[..., Path]) -> Dataset:
    """Return a dataset of two scans of one patient, the later one with blood."""
    write_study(tmp_path / "s" / "1", "P", day=1)
    write_study(tmp_path / "s" / "2", "P", day=2, clot_mm=16)
    ingest([tmp_path / "s"], tmp_path / "out", b"k" * 32)
    return Dataset(tmp_path / "out")


def test_scans_are_named_as_in_the_tables_and_blood_is_refused(dataset: Dataset) -> None:
    scans = scans_of(dataset)
    assert [scan.scan_id for scan in scans] == dataset.table("scans")["scan_id"].tolist()
    assert len({scan.participant_id for scan in scans}) == 1
    assert all(scan.path.is_file() for scan in scans)
    first, second = prepare_scans(dataset, scans, SMALL)
    assert (first.scan, second.scan) == tuple(scans)
    assert second.stack is None
    assert second.error is not None
    assert second.error.code == "HC303"
    assert first.stack is not None, first.error
    assert first.stack.frames.shape == (SMALL.frames, 64, 64)


def test_a_refusal_that_is_kept_does_not_keep_its_scan(dataset: Dataset) -> None:
    def volumes() -> set[int]:
        gc.collect()
        return {id(one) for one in gc.get_objects() if type(one) is Volume}

    before = volumes()
    kept = [one for one in prepare_scans(dataset, scans_of(dataset), SMALL) if one.error]
    assert [one.error.code for one in kept if one.error] == ["HC303"]
    assert volumes() <= before


def test_a_map_comes_along_where_it_is_asked_for_or_its_scan_is_refused(dataset: Dataset) -> None:
    scans = scans_of(dataset)
    folder = dataset.root / FOLDER
    folder.mkdir(parents=True)
    first, _ = prepare_scans(dataset, scans, SMALL, maps=folder)
    assert first.error is not None
    assert first.error.code == "HC506"
    volume = read_nifti(scans[0].path)
    write_nifti(np.full(volume.hu.shape, 70), volume.affine, folder / map_name(scans[0].scan_id))
    first, _ = prepare_scans(dataset, scans, SMALL, maps=folder)
    assert first.cells is not None, first.error
    assert np.nanmax(first.cells) == pytest.approx(70)
    assert next(prepare_scans(dataset, scans, SMALL)).cells is None


def test_a_damaged_file_costs_its_scan_and_a_damaged_sidecar_is_named(dataset: Dataset) -> None:
    scans = scans_of(dataset)
    scans[0].path.write_bytes(b"half")
    first, _ = prepare_scans(dataset, scans, SMALL)
    assert first.error is not None
    assert first.error.code in {"HC104", "HC107"}
    dataset.sidecars()[0].write_text("{")
    with pytest.raises(DatasetError, match=scans[0].scan_id):
        scans_of(dataset)
