"""Other people's numbers: R's pROC, rms and psych."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of reference numbers, or skip."""
    default = ROOT.parent / "shared" / "reference"
    folder = Path(os.environ.get("HEMOCAST_TEST_REFERENCE", default))
    if not folder.is_dir():
        pytest.skip("no reference numbers: set HEMOCAST_TEST_REFERENCE to their folder")
    return folder


@pytest.fixture(scope="session")
def proc(reference: Path) -> dict:
    """Return what R printed."""
    return json.loads((reference / "proc.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def asah(reference: Path) -> dict[str, NDArray[np.float64]]:
    """Return the aSAH data: outcome (poor is 1) and three markers."""
    with (reference / "aSAH.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in MARKERS}
    columns["outcome"] = np.array([float(row["outcome"] == "Poor") for row in rows])
    return columns


MARKERS = ("wfns", "s100b", "ndka")
