"""Simulated heads with what was drawn in them: for fitting and for measuring how well signs are.

Patients of a preset, one scan each; every fifth without the acute infarct. Regions of ASPECTS are
bent by a field of their own, of 5 mm SD along each axis, before the truth is told: whoever measures
never sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.anatomy import align, find_brain
from hemocast.anatomy.atlas import REGIONS
from hemocast.anatomy.fields import on_axes
from hemocast.config import PrepareConfig, SimulateConfig
from hemocast.errors import HemocastError
from hemocast.prepare import prepare
from hemocast.signs.measured import Found
from hemocast.simulate.anatomy.atlas import COARSE, LEVEL_ONE, axes, load_atlas
from hemocast.simulate.anatomy.shape import FIELD, Shape, atlas_maps, smooth_noise
from hemocast.simulate.disease.aspects import LOST_SHARE, THRESHOLD, regions
from hemocast.simulate.disease.head import Edema, Head, Person, Stroke, build_head
from hemocast.simulate.disease.lesion import (
    FIRST,
    LAST,
    TissueShare,
    brain_share,
    half_box,
    on_box,
)
from hemocast.simulate.disease.swelling import swell
from hemocast.simulate.epidemiology.patients import Patient, draw_cohort, noise_rng
from hemocast.simulate.presets import PRESETS, resized
from hemocast.simulate.randomised.heads import STEP_MM, label_head
from hemocast.simulate.randomised.labels import Code
from hemocast.simulate.scanner.scan import scan_head
from hemocast.volume import Source, Volume

BENT_MM = 5.0
"""Standard deviation of the bend of the true regions along each axis, mm."""

NEAR_MM = 8.0
"""How far from the template's lateral ventricles fluid counts as theirs, mm."""


@dataclass(frozen=True)
class Drawn:
    """A simulated head.

    Parameters
    ----------
    number : int
        Its place in the cohort.
    found : Found or None
        As `hemocast measure` finds it; None where it is refused.
    truth : dict
        What was drawn.
    """

    number: int
    found: Found | None
    truth: dict[str, object]


def plan(preset: str, seed: int, count: int, matrix: int) -> SimulateConfig:
    """Return the settings of the cohort."""
    return resized(PRESETS[preset], seed, count).model_copy(update={"matrix": matrix})


def draw_heads(config: SimulateConfig, numbers: range) -> Iterator[Drawn]:
    """Draw heads of a cohort, with what was drawn."""
    cohort = draw_cohort(config)
    for number in numbers:
        yield _drawn(config, cohort[number], number)


def _drawn(config: SimulateConfig, patient: Patient, number: int) -> Drawn:
    scan = patient.scans[0]
    rng = np.random.default_rng(SeedSequence([config.seed, 2, patient.candidate]))
    person = Person(patient.age, patient.male, patient.van_swieten, patient.old_infarct)
    edema = Edema(scan.uptake_rendered, scan.shift_mm)
    stroke = None if number % 5 == 4 else Stroke(patient.infarct, edema, patient.hyperdense)
    head = build_head(rng, person, stroke)
    protocol = replace(scan.protocol, tilt_degrees=0.0, mixed=False)
    frames = scan_head(head, protocol, noise_rng(config, scan))
    source = Source("array", "", n_files=len(frames.hu), simulated=True)
    volume = Volume(frames.hu, frames.affine, ((),) * len(frames.hu), source)
    truth = truth_of(patient, head, SeedSequence([config.seed, 77, number]))
    truth |= {"noise_hu": protocol.noise_hu, "slice_mm": protocol.slice_mm}
    try:
        brain = find_brain(volume)
        pose = align(volume, brain)
        settings = PrepareConfig()
        stack = prepare(volume, settings, brain, pose)
    except HemocastError as error:
        return Drawn(number, None, truth | {"refused": error.code})
    return Drawn(number, Found(volume, brain, pose, stack, settings), truth)


def truth_of(patient: Patient, head: Head, seed: SeedSequence) -> dict[str, object]:
    """Return what was drawn, by sign."""
    shape = head.shape
    if head.infarct is not None:
        shape = swell(shape, head.infarct, head.edema.shift_mm)
    right, left = ventricles_ml(shape)
    cavity = label_head(head).code == Code.OLD_INFARCT
    labels, count = ndimage.label(cavity)
    largest = float(np.bincount(labels.ravel())[1:].max()) if count else 0.0
    acute = head.infarct is not None
    lost = [False] * len(REGIONS)
    if head.infarct is not None:
        lost = lost_regions(head.infarct, patient.infarct.side, seed)
    return {
        "acute": acute,
        "volume_ml": patient.infarct.volume_ml if acute else 0.0,
        "side": patient.infarct.side if acute else None,
        "territory": patient.infarct.territory if acute else None,
        "uptake": head.edema.water_uptake if acute else 0.0,
        "lost": [int(one) for one in lost],
        "van_swieten": sum(patient.van_swieten),
        "ventricles_ml": right + left,
        "ventricle_right_ml": right,
        "ventricle_left_ml": left,
        "cavity_ml": largest * STEP_MM**3 / 1000,
        "dense_artery": bool(patient.hyperdense and acute),
        "age": patient.age,
    }


def lost_regions(infarct: TissueShare, side: str, seed: SeedSequence) -> list[bool]:
    """Return which of the ten regions, bent, an infarct takes a third of."""
    label = _bent(regions(COARSE), np.random.default_rng(seed))
    share = infarct.on_atlas()
    level = load_atlas().level
    if side == "left":
        share, level = share[..., ::-1], level[..., ::-1]
    box = half_box(COARSE)
    tissue = (level[box] >= THRESHOLD * LEVEL_ONE).astype(np.float32)
    taken = tissue * share[box] * np.float32(1 / 255)
    held = [float(tissue[label == k].sum()) for k in range(1, len(REGIONS) + 1)]
    gone = [float(taken[label == k].sum()) for k in range(1, len(REGIONS) + 1)]
    return [a >= LOST_SHARE * max(b, 1e-6) for a, b in zip(gone, held, strict=True)]


def _bent(label: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Bend a map of labels by a smooth field of `BENT_MM`."""
    points = tuple((b - a) // FIELD + 1 for a, b in zip(FIRST, LAST, strict=True))
    field = BENT_MM * smooth_noise(rng, 40, 3, points)
    moved = []
    for axis, part in enumerate(field):
        fine = on_box(part, (0, 0, 0), label.shape, FIELD // COARSE) / COARSE
        along = np.arange(label.shape[axis]).reshape([-1 if a == axis else 1 for a in range(3)])
        moved.append(np.clip(np.rint(along + fine), 0, label.shape[axis] - 1).astype(np.intp))
    return np.asarray(label[tuple(moved)])


@lru_cache(maxsize=1)
def _lateral() -> NDArray[np.uint8]:
    """Return where fluid counts as the right (1) or left (2) lateral ventricle's, on 2 mm."""
    deep = load_atlas().ventricle > 0.78
    labels, _ = ndimage.label(deep)
    x = np.broadcast_to(axes(COARSE).x, deep.shape)
    # The largest part is what the cisterns and the third ventricle make together.
    two = np.argsort(-np.bincount(labels.ravel())[1:])[1:3] + 1
    others = deep & ~np.isin(labels, two)
    apart = ndimage.distance_transform_edt(~others, sampling=COARSE)
    out = np.zeros(deep.shape, np.uint8)
    for part in two:
        right = bool(x[labels == part].mean() > 0)
        away = ndimage.distance_transform_edt(labels != part, sampling=COARSE)
        near = (away <= NEAR_MM) & (away < apart) & ((x > 0) if right else (x < 0))
        out[near] = 1 if right else 2
    return out


def ventricles_ml(shape: Shape) -> tuple[float, float]:
    """Return the fluid drawn in and round the right and the left lateral ventricle, mL."""
    maps, where = atlas_maps(shape), _lateral()
    at = [np.arange(n, dtype=np.float32) * COARSE / FIELD for n in where.shape]
    threshold, stretch = (on_axes(part, at) for part in (maps.threshold, maps.stretch))
    level = load_atlas().level[::COARSE, ::COARSE, ::COARSE]
    fluid = (1 - brain_share(level, threshold)) * stretch * COARSE**3 / 1000
    right, left = (float(fluid[where == side].sum(dtype=np.float64)) for side in (1, 2))
    return right, left
