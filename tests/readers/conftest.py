"""A dataset of three patients, for studies to be made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from hemocast.dataset import Dataset
from hemocast.dicom import write_nifti
from hemocast.files import write_table

PEOPLE = ["sub-a1", "sub-b2", "sub-c3"]


def _head_hu(lesion_x: float, blood_mm: float = 0.0) -> np.ndarray:
    """30 slices of 5 mm, 80x80 of 2.6 mm; a dark lesion, and a bleed if asked.

    Bone fills the lower front, as under frontal lobes: a ball would not tell how it lies.
    """
    across = (np.arange(80) - 39.5) * 2.6
    z, y, x = np.meshgrid((np.arange(30) - 14.5) * 5, across, across, indexing="ij")
    radius = np.sqrt((x / 66) ** 2 + (y / 82) ** 2 + (z / 66) ** 2)
    hu = np.full(radius.shape, -1000.0)
    hu[radius < 1.18], hu[radius < 1.1] = 30, 900
    hu[(radius < 1) & ~((z < -28) & (y < 5))] = 36
    hu[((np.abs(x) - 15) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1] = 8
    hu[(x - lesion_x) ** 2 + y**2 + z**2 < 18**2] = 20
    hu[(x + 40) ** 2 + y**2 + z**2 < blood_mm**2] = 68
    hu[radius < 1] += np.random.default_rng(0).normal(0, 3, (radius < 1).sum())
    return hu


@pytest.fixture(scope="session")
def head_hu() -> Callable[..., np.ndarray]:
    """Return the function that makes the heads of the dataset."""
    return _head_hu


AFFINE = np.array([[-2.6, 0, 0, 102.7], [0, -2.6, 0, 102.7], [0, 0, 5, 0], [0, 0, 0, 1.0]])


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three patients; the first with two scans, the last with blood that no table tells of."""
    root = tmp_path_factory.mktemp("study") / "ds"
    scans = [(PEOPLE[0], "ses-01"), (PEOPLE[0], "ses-02"), (PEOPLE[1], "ses-01")]
    scans.append((PEOPLE[2], "ses-01"))
    for participant, session in scans:
        folder = root / participant / session / "ct"
        folder.mkdir(parents=True)
        path = folder / f"{participant}_{session}_ct.nii.gz"
        blood = 16.0 if participant == PEOPLE[2] else 0.0
        write_nifti(_head_hu(40 if participant == PEOPLE[0] else -40, blood), AFFINE, path)
        content = {"participant_id": participant, "session": session, "scan_uid": "u"}
        content |= {"acq_time": None, "age": None, "sex": "", "simulated": False}
        content |= {"shape": [30, 80, 80], "spacing_mm": [5.0, 2.6, 2.6]}
        content |= {"facts": {}, "corrected": [], "doubts": []}
        path.with_name(f"{path.name[:-7]}.json").write_text(json.dumps(content))
    rows = [{"participant_id": p, "scan_id": f"{p}_{s}", "blood": 0} for p, s in scans]
    write_table(root / "scans.tsv", rows, ["participant_id", "scan_id", "blood"])
    labels = [{"participant_id": p, "label": i % 2} for i, p in enumerate(PEOPLE)]
    write_table(root / "labels.tsv", labels, ["participant_id", "label"])
    parts = [{"participant_id": p, "part": "test" if p == PEOPLE[1] else "train"} for p in PEOPLE]
    write_table(root / "splits" / "one.tsv", parts, ["participant_id", "part"])
    made_by = [{"Name": "hemocast"}]
    description = {"DatasetType": "raw", "GeneratedBy": made_by, "Simulated": False}
    (root / "dataset_description.json").write_text(json.dumps(description))
    return Dataset(root)


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a model's table, line by line."""

    def _write(header: str, *rows: str) -> Path:
        path = tmp_path / f"{uuid4().hex}.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return _write
