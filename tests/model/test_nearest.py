"""Cases are of several patients, by a distance in which no unit rules, and whole when read."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load, save

from hemocast.errors import ModelCorrupt
from hemocast.model.bundle import load as load_model
from hemocast.model.nearest import SHOWN, TrainingCases, pooled_features

NAMES = tuple(f"sub-{n:02d}_ses-{s:02d}" for n in range(8) for s in (1, 2))


@pytest.fixture
def cases() -> TrainingCases:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(16, 3)).astype(np.float32) * np.array([1, 1000, 1], np.float32)
    features[:, 2] = 7
    return TrainingCases(NAMES, np.arange(16) % 4 > 1, features, 0.5)


def test_every_scan_finds_itself_and_then_other_patients(cases: TrainingCases) -> None:
    for row, own in enumerate(cases.features):
        found = cases.near(own)
        assert (found.cases[0].scan_id, found.cases[0].distance) == (NAMES[row], 0)
        assert found.cases[0].ht == cases.ht[row]
        assert len({case.scan_id[:6] for case in found.cases}) == SHOWN == len(found.cases)
        assert (found.n_scans, found.n_features, found.usual) == (16, 3, 0.5)


def test_a_distance_counts_standard_deviations(cases: TrainingCases) -> None:
    """A step of one in one of three features is the root of a third; one that never varied is 0."""
    spread = cases.features.std(axis=0)
    for step, expected in (((1, 0, 0), 3**-0.5), ((0, 1, 0), 3**-0.5), ((0, 0, 9), 0)):
        moved = cases.features[4] + np.array(step, np.float32) * np.array([*spread[:2], 1])
        distance = cases._distances(moved.astype(np.float32))[4]
        assert distance == pytest.approx(expected, abs=1e-5)


def test_pooled_features_are_means_of_maps() -> None:
    maps = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert pooled_features(maps).tolist() == [5.5, 17.5]


def test_what_was_written_is_read(cases: TrainingCases) -> None:
    read = TrainingCases.from_bytes(cases.to_bytes(), 3)
    assert (read.scan_id, read.usual) == (cases.scan_id, cases.usual)
    np.testing.assert_array_equal(read.features, cases.features)
    np.testing.assert_array_equal(read.ht, cases.ht)


@pytest.mark.parametrize("fault", ["features", "nan", "names", "lacking", "pickle"])
def test_anything_else_is_refused(cases: TrainingCases, fault: str) -> None:
    content = cases.to_bytes()
    arrays = load(content)
    if fault == "nan":
        arrays["features"] = np.full_like(arrays["features"], np.nan)
    elif fault == "names":
        arrays["scan_id"] = np.full_like(arrays["scan_id"], ord("<"))
    elif fault == "lacking":
        del arrays["ht"]
    content = b"\x80\x04N." if fault == "pickle" else save(arrays)
    with pytest.raises(ModelCorrupt, match="nearest_cases"):
        TrainingCases.from_bytes(content, 4 if fault == "features" else 3)


def test_a_file_of_cases_that_the_description_does_not_name_changes_nothing(
    folder: Path, cases: TrainingCases, tmp_path: Path
) -> None:
    """Put beside a model by somebody: it is not read. Named, it must be as its hash says."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "nearest_cases.safetensors").write_bytes(cases.to_bytes())
    assert load_model(copy).cases is None
    says = yaml.safe_load((copy / "model.yaml").read_bytes().rpartition(b"sha256:")[0])
    says["files"]["nearest_cases.safetensors"] = "0" * 64
    body = yaml.safe_dump(says, sort_keys=False).encode()
    seal = f"sha256: {hashlib.sha256(body).hexdigest()}\n".encode()
    (copy / "model.yaml").write_bytes(body + seal)
    with pytest.raises(ModelCorrupt, match="not what its hash says"):
        load_model(copy)
