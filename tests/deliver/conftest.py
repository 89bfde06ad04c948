"""A head of a few slices as DICOM headers, and a made-up result of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from hemocast.deliver import Analysed, ModelName, Refused, Result
from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.model.prediction import Prediction
from hemocast.signs.aspects import Aspects, Region
from hemocast.signs.bleeding import Bleeding
from hemocast.signs.calcium import Calcification
from hemocast.signs.dense_artery import Artery
from hemocast.signs.estimate import Estimate
from hemocast.signs.fluid import Fluid
from hemocast.signs.infarct import Infarct
from hemocast.signs.leukoaraiosis import Leukoaraiosis
from hemocast.signs.measured import OfFrames, Signs
from hemocast.signs.midline import MidlineShift
from hemocast.signs.old_infarct import Cavity
from hemocast.signs.sides import Place
from hemocast.signs.ventricles import Bicaudate, Ventricles
from hemocast.volume import Affine, BoolArray, Stack, StackRecord

SLICES, ROWS, COLUMNS = 14, 64, 80
PIXEL_MM, STEP_MM = 3.0, 10.0
ORIGIN = (-118.5, -95.0, -40.0)
MADE = datetime(2026, 11, 29, 3, 14, 15, tzinfo=UTC)
NOTICE = "demonstration model, trained on simulated scans, not for clinical use"


def write_slices(folder: Path, **changes: object) -> tuple[Dataset, ...]:
    """Write a plain axial series and return its headers, lowest slice first."""
    header = CTHeader(
        patient_id="A 17/β-0042",
        patient_name="Müller^Änne=田中^花子",
        study_uid=make_uid("deliver", "study"),
        series_uid=make_uid("deliver", "series"),
        acquired=datetime(2026, 11, 29, 2, 0),
        accession_number="ACC|17^3",
        study_description="CT Kopf nativ",
        sex="F",
        manufacturer="Hemocast",
        model="simulator",
    )
    positions = [(ORIGIN[0], ORIGIN[1], ORIGIN[2] + STEP_MM * z) for z in range(SLICES)]
    paths = write_ct(
        np.zeros((SLICES, ROWS, COLUMNS)),
        positions,
        (1, 0, 0, 0, 1, 0),
        (PIXEL_MM, PIXEL_MM),
        header,
        folder,
    )
    for path in paths:
        dataset = dcmread(path)
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path)
    return tuple(dcmread(path, stop_before_pixels=True) for path in paths)


@pytest.fixture(scope="session")
def headers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, ...]:
    return write_slices(
        tmp_path_factory.mktemp("deliver") / "ct",
        IssuerOfPatientID="KH NORD",
        PatientBirthDate="19501224",
    )


@pytest.fixture(scope="session")
def affine() -> Affine:
    """Of the slices' grid: RAS+, so that x and y turn round."""
    to_lps = np.diag([PIXEL_MM, PIXEL_MM, STEP_MM, 1.0])
    to_lps[:3, 3] = ORIGIN
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ to_lps


@pytest.fixture(scope="session")
def stack(affine: Affine) -> Stack:
    """28 frames over the same head, of finer pixels."""
    to_mm = affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    z, y, x = np.meshgrid(
        (np.arange(28) - 13) / 13,
        (np.arange(128) - 64) / 52,
        (np.arange(160) - 80) / 44,
        indexing="ij",
    )
    brain = np.sqrt(x**2 + y**2 + z**2) < 1
    frames = np.where(brain, 0.55 + 0.1 * np.cos(9 * x) * np.cos(7 * y), 0).astype(np.float32)
    record = StackRecord("a" * 64, "b" * 64, (1.0, 2.0, 3.0), (0.0, 0.0, 0.0), 1300.0, 2, 0, 0.0)
    return Stack(frames, brain, to_mm, record)


@pytest.fixture(scope="session")
def infarct() -> BoolArray:
    mask = np.zeros((SLICES, ROWS, COLUMNS), np.bool_)
    mask[6:9, 26:36, 48:56] = True
    return mask


@pytest.fixture(scope="session")
def prediction(stack: Stack) -> Prediction:
    heatmap = np.zeros_like(stack.frames)
    heatmap[10:18, 52:72, 96:112] = 0.015
    heatmap[10:18, 52:72, 48:60] = -0.004
    return Prediction(
        scan_id="3f9a2c71d0b4",
        logit=0.35,
        probability=0.37,
        probability_interval=(0.21, 0.56),
        threshold=0.48,
        heatmap=heatmap * stack.brain,
        heatmap_kind="class activation map, per frame",
        stack=stack,
        flags=("6 mm of the lowest brain did not fit into the 28 frames",),
        horizon="any later scan of the same stay",
        population="simulated patients with one acute ischemic infarct",
        model_name="ctnet3d-demo",
        model_version="0.1.0",
        model_hash="c" * 64,
        simulated_training_data=True,
        notice=NOTICE,
    )


@pytest.fixture(scope="session")
def signs() -> Signs:
    """Of an infarct of the left middle cerebral artery, with everything else that is told."""
    at = Place(12, 60, 100)
    nothing: Any = None  # no room here measures the cells
    infarct = Infarct(
        True, Estimate(34, 20, 55), "left", {"MCA": 0.9, "ACA": 0.1, "PCA": 0.0,
        "cerebellar": 0.0, "pons": 0.0}, 0.2, Estimate(0.08, 0.05, 0.13), nothing, at,
    )  # fmt: skip
    regions = (
        Region("M5", True, 0.9, 3.0, 0.6, 0.7, at), Region("insula", True, 0.8, 2.5, 0.5, 0.6, at),
        Region("caudate", False, 0.1, 0.2, 0.0, 0.0, at),
    )  # fmt: skip
    frames = OfFrames(
        nothing, infarct, Aspects(Estimate(8, 6, 9), regions),
        Ventricles(Estimate(12, 9, 15), Estimate(11, 8, 14), Estimate(23, 18, 28), at),
        Bicaudate(Estimate(0.14, 0.11, 0.17), 15, at),
        Leukoaraiosis(Estimate(1.4, 0.6, 2.2), 0.8, 0.6, (3, 2), at), Cavity(3.2, "right", at),
    )  # fmt: skip
    return Signs(
        MidlineShift(-3.4, 2.5, True), Fluid(0.09), Calcification(0.31, 2, 7),
        Artery(38, 57, 5), Bleeding(()), frames, 10.0, True, (), {"fazekas": "no source"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def result(
    headers: tuple[Dataset, ...],
    prediction: Prediction,
    signs: Signs,
    infarct: BoolArray,
    affine: Affine,
) -> Result:
    return Result(
        headers=headers,
        answer=Analysed(prediction, signs, infarct, affine),
        made=MADE,
        model=ModelName.of(prediction),
        simulated=True,
        notice=NOTICE,
    )


@pytest.fixture(scope="session")
def refused(headers: tuple[Dataset, ...]) -> Result:
    return Result(
        headers=headers,
        answer=Refused(
            "HC303",
            "The scan already shows about 4.5 mL of blood",
            "a scan taken before any bleeding",
            "Use an earlier scan; hemorrhagic transformation can no longer be predicted here",
        ),
        made=MADE,
        notice=NOTICE,
    )


@pytest.fixture(scope="session")
def sides_unknown(result: Result) -> Result:
    """The same scan, of which nobody knows which side is which."""
    answer = result.answer
    assert isinstance(answer, Analysed)
    one = answer.prediction
    record = replace(one.stack.record, sides_known=False)
    turned = replace(one, stack=replace(one.stack, record=record))
    assert answer.signs is not None
    midline = replace(answer.signs.midline, sides_known=False)
    signs = replace(answer.signs, sides_known=False, midline=midline)
    return replace(result, answer=replace(answer, prediction=turned, signs=signs))


@pytest.fixture(scope="session")
def faults() -> Callable[[Path], list[str]]:
    """Return a function that gives what dciodvfy finds wrong with a file."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")

    def find(path: Path) -> list[str]:
        done = subprocess.run([program, str(path)], capture_output=True, check=False)
        lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
        return [line for line in lines if line.startswith(("Error", "Abort"))]

    return find
