"""A stand-in for a prediction: a smooth synthetic brain with one lesion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hemocast.model.prediction import Prediction
from hemocast.report import (
    DemoCohort,
    DemoExample,
    DemoHistory,
    DemoPart,
    DemoResult,
)
from hemocast.stats import evaluate
from hemocast.volume import Source, Stack, StackRecord


def make_stack(seed: int = 0, size: int = 192, *, top: int = 2, bottom: int = 0) -> Stack:
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(
        (np.arange(28) - 12.0) / 15,
        (np.arange(size) - size / 2) / 82,
        (np.arange(size) - size / 2) / 66,
        indexing="ij",
    )
    radius = np.sqrt(x**2 + y**2 + np.maximum(z, z * 0.6) ** 2)
    brain = radius < 1
    folds = gaussian_filter(rng.normal(size=brain.shape), (1, 4, 4))
    frames = 0.55 + 1.6 * folds * np.clip(radius, 0.3, 1) + 0.12 * (radius > 0.82)
    ventricle = (np.abs(np.abs(x) - 0.14 - 0.1 * y) < 0.09) & (np.abs(y) < 0.4) & (np.abs(z) < 0.3)
    frames[ventricle] = 0.12
    frames += gaussian_filter(rng.normal(size=brain.shape), (0, 0.7, 0.7)) * 0.09
    lesion = ((x - 0.55) / 0.3) ** 2 + ((y + 0.1) / 0.35) ** 2 + ((z - 0.1) / 0.3) ** 2 < 1
    frames -= 0.22 * gaussian_filter(lesion.astype(float), (1, 3, 3))
    brain[28 - top :] = False
    brain[:bottom] = False
    frames = np.where(brain, np.clip(frames, 0, 1), 0).astype(np.float32)
    record = StackRecord(
        input_hash="a" * 64,
        settings_hash="b" * 64,
        rotation_degrees=(-12.5, 1.25, 3.0),
        shift_mm=(1.0, -4.0, 7.5),
        brain_ml=1312.0,
        frames_padded_top=top,
        frames_padded_bottom=bottom,
        brain_cut_mm=6.0,
    )
    return Stack(frames, brain, np.diag([1.0, 1.0, 5.0, 1.0]), record)


def make_heatmap(stack: Stack) -> NDArray[np.float32]:
    size = stack.frames.shape[1]
    z, y, x = np.meshgrid(
        (np.arange(28) - 13.5) / 4,
        (np.arange(size) - size / 2 + 8) / 24,
        (np.arange(size) - size / 2 - 36) / 20,
        indexing="ij",
    )
    hot = np.exp(-(x**2 + y**2 + z**2) / 2) * 3.1 - 0.3
    return hot.astype(np.float32)


def make_prediction(stack: Stack, heatmap: NDArray[np.float32] | None = None) -> Prediction:
    return Prediction(
        scan_id="3f9a2c71d0b4",
        logit=0.35,
        probability=0.37,
        probability_interval=(0.21, 0.56),
        threshold=0.48,
        heatmap=make_heatmap(stack) if heatmap is None else heatmap,
        heatmap_kind="class activation map, per frame",
        stack=stack,
        flags=(
            "the slices are 7 mm thick above the base of the skull; the model learned from 5 mm",
            "6 mm of the lowest brain did not fit into the 28 frames",
        ),
        horizon="any later scan of the same stay",
        population="simulated patients with one acute ischemic infarct",
        model_name="ctnet3d-demo",
        model_version="0.1.0",
        model_hash="c" * 64,
        simulated_training_data=True,
        notice="demonstration model, trained on simulated scans, not for clinical use",
    )


@pytest.fixture(scope="session")
def stack() -> Stack:
    return make_stack()


@pytest.fixture(scope="session")
def prediction(stack: Stack) -> Prediction:
    return make_prediction(stack)


@pytest.fixture(scope="session")
def source() -> Source:
    return Source(
        kind="dicom",
        scan_uid="3f9a2c71d0b4",
        n_files=28,
        corrected=(
            "gantry tilt of 18.5 degrees taken out",
            "uneven steps of 1.08 to 7.00 mm resampled from the true positions",
        ),
        doubts=("one step of 1.08 mm between the two slice thicknesses",),
        left_out=("a localizer of 2 images",),
        facts={
            "manufacturer": "GE MEDICAL SYSTEMS",
            "model": "HiSpeed Dual",
            "kvp": 120,
            "slice_thickness_mm": [4.0, 7.0],
            "tilt_degrees": 18.5,
        },
    )


HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"' {{ 7 * 7 }}"


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE


@pytest.fixture(scope="session")
def new_stack() -> Callable[..., Stack]:
    return make_stack


@pytest.fixture(scope="session")
def demo(prediction: Prediction, source: Source) -> DemoResult:
    return make_demo(prediction, source)


def make_demo(prediction: Prediction, source: Source) -> DemoResult:
    rng = np.random.default_rng(3)
    logit = rng.normal(-0.2, 2, 74)
    true_risk = 1 / (1 + np.exp(-logit))
    label = (rng.random(74) < true_risk).astype(np.int64)
    probability = 1 / (1 + np.exp(-0.8 * logit - rng.normal(0, 0.9, 74)))
    patient = np.arange(74) * 5 // 6
    lesion = (prediction.heatmap > 1.2) & prediction.stack.brain
    epochs = np.arange(1.0, 23.0)
    low = replace(prediction, probability=0.07, probability_interval=(0.03, 0.2))
    return DemoResult(
        cohort=DemoCohort(
            160, 196, 72, "lesions 4 to 9 HU darker", (("Picture", "256 x 256"),), 11
        ),
        refused=(("HC303 the scan already shows blood", 4),),
        parts=(
            DemoPart("training", 78, 92, 36),
            DemoPart("validation", 20, 24, 9),
            DemoPart("test", 62, 74, 27),
        ),
        overlap=0,
        split_hash="d" * 64,
        evaluation=evaluate(label, probability, patient, 0.48, n_resamples=300),
        label=label,
        probability=probability,
        true_risk=true_risk,
        patient=patient,
        history=DemoHistory(
            0.7 * np.exp(-epochs / 9),
            0.5 * np.exp(-epochs / 7),
            0.9 - 0.4 * np.exp(-epochs / 4),
            14,
        ),
        examples=(
            DemoExample("HT, foreseen", "The heatmap finds it.", prediction, 1, 0.88, lesion),
            DemoExample("HT, missed", "The lesion is faint.", low, 1, 0.35, lesion),
        ),
        new_scan=DemoExample("new series", "Left hemisphere.", prediction, None, 0.4, lesion),
        new_source=source,
        model_settings=(("Network", "ctnet3d"), ("Epochs", "22")),
        seconds=(("simulate", 41.2), ("train", 88.7)),
    )
