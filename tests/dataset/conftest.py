"""A few small heads as DICOM, and small tables of a cohort."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemocast.dataset.cohort.choose import Tables, check_tables
from hemocast.dataset.tables.schema import SCHEMAS
from hemocast.dicom import CTHeader, make_uid, write_ct, write_nifti


def head_hu(n: int, clot_mm: float, seed: int) -> np.ndarray:
    """A head in `n` slices 12 mm apart, 64x64 of 3 mm: skin, skull, brain with ventricles, noise.

    `clot_mm` is the radius of a bleed, 0 for none.
    """
    across = (np.arange(64) - 31.5) * 3
    z, y, x = np.meshgrid((np.arange(n) - (n - 1) / 2) * 12, across, across, indexing="ij")
    # It leans: of an upright ball two slices are alike whose order would be doubted.
    radius = np.sqrt((x / 70) ** 2 + ((y - 0.2 * z) / 85) ** 2 + (z / 70) ** 2)
    hu = np.full(radius.shape, -1000.0)
    hu[radius < 1.18], hu[radius < 1.1] = 30, 900
    hu[(radius < 1) & ~((z < -28) & (y < 5))] = 36  # bone under the front: a ball lies anyhow
    hu[((np.abs(x) - 15) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1] = 8
    hu[(x - 40) ** 2 + y**2 + z**2 < clot_mm**2] = 68
    hu[radius < 1] += np.random.default_rng(seed).normal(0, 4, (radius < 1).sum())
    return hu.round()


@pytest.fixture
def write_study() -> Callable[..., Path]:
    """Return a function that writes one small axial head series as DICOM."""

    def _write(
        folder: Path,
        patient: str,
        day: int = 1,
        *,
        n: int = 13,
        drop: int | None = None,
        clot_mm: float = 0,
        phantom: bool = False,
        vessels: bool = False,
        **more,
    ) -> Path:
        hu = head_hu(n, clot_mm, seed=day)
        if phantom:
            hu[(hu > -500) & (hu < 100)] = 0  # water in a shell as dense as bone
        if vessels:
            hu[:, ::6, ::6][np.abs(hu[:, ::6, ::6] - 36) < 20] = 120
        positions = np.array([[-100.0, -100.0, 12.0 * z] for z in range(n)])
        keep = [z for z in range(n) if z != drop]
        study = make_uid(patient, day)
        header = CTHeader(
            patient_id=patient,
            **{
                "patient_name": f"{patient}^SECRET",
                "study_uid": study,
                "series_uid": make_uid(study, 1),
                "acquired": datetime(2021, 3, day, 12, 30),
                "age": 71,
                "sex": "F",
                "manufacturer": "GE ACMESECRET",
                "slice_thickness": 12,
                **more,
            },
        )
        axial = (1, 0, 0, 0, 1, 0)
        write_ct(hu[keep], positions[keep], axial, (3, 3), header, folder)
        return folder

    return _write


@pytest.fixture
def write_nii() -> Callable[..., Path]:
    """Return a function that writes a head as NIfTI, and its sidecar where one is given."""

    def _write(path: Path, seed: int = 3, **sidecar: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_nifti(head_hu(13, 0, seed), np.diag([-3.0, -3.0, 12.0, 1.0]), path)
        if sidecar:
            beside = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
            beside.write_text(json.dumps(sidecar))
        return path

    return _write


Rows = list[dict[str, object]]


def _text(name: str, rows: Rows) -> pd.DataFrame:
    columns = {
        column.name: None for schema in SCHEMAS if schema.name == name for column in schema.columns
    }
    named = [*columns, *(key for row in rows for key in row if key not in columns)]
    cells = [[str(row.get(key, "n/a")) for key in dict.fromkeys(named)] for row in rows]
    return pd.DataFrame(cells, columns=list(dict.fromkeys(named)), dtype="str")


@pytest.fixture
def text_of() -> Callable[..., dict[str, pd.DataFrame]]:
    """Return a function from rows (as keywords: ``labels=[{...}]``) to all tables as text."""

    def _make(**rows: Rows) -> dict[str, pd.DataFrame]:
        if "participants" not in rows:
            people = dict.fromkeys(
                str(row["participant_id"]) for some in rows.values() for row in some
            )
            rows["participants"] = [{"participant_id": p, "age": 70, "sex": "F"} for p in people]
        return {schema.name: _text(schema.name, rows.get(schema.name, [])) for schema in SCHEMAS}

    return _make


@pytest.fixture
def tables_of(text_of: Callable[..., dict[str, pd.DataFrame]]) -> Callable[..., Tables]:
    """Return a function from rows to checked tables."""
    return lambda **rows: check_tables(text_of(**rows))


@pytest.fixture
def cohort_rows() -> Callable[..., dict[str, Rows]]:
    """Return a function that gives the rows of `n` patients, every other one with HT at 40 h."""

    def _make(n: int = 40) -> dict[str, Rows]:
        rng = np.random.default_rng(5)
        rows: dict[str, Rows] = {"participants": [], "scans": [], "clinical": [], "labels": []}
        for i in range(n):
            person, ht = {"participant_id": f"sub-{i:04d}"}, i % 2
            age, sex = int(rng.integers(50, 90)), "FM"[i // 2 % 2]
            rows["participants"].append(person | {"age": age, "sex": sex, "site": "AB"[i % 3 > 0]})
            for session, hours in ((1, 4.0 + i % 5), (2, 20.0 + i % 7)):
                scan = {"scan_id": f"sub-{i:04d}_ses-{session:02d}", "hours_from_onset": hours}
                rows["scans"].append(person | scan | {"blood": 0})
            treatment = {"treatment": ("none", "thrombolytic;antiplatelet", "n/a")[i % 3]}
            rows["clinical"].append(person | treatment | {"nihss": int(rng.integers(2, 25))})
            times: dict[str, object] = {"ht_detected_hours": 40} if ht else {}
            grade = {"ht_grade": ("HI1", "HI2", "PH1", "PH2")[i // 2 % 4] if ht else "none"}
            rows["labels"].append(person | {"label": ht, "last_imaging_hours": 90} | times | grade)
        return rows

    return _make
