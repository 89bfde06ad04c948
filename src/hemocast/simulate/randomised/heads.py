"""Simulated heads as maps of codes on the patient's own grid of 1.5 mm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator, SeedSequence

from hemocast.anatomy.fields import on_axes
from hemocast.files import replacing
from hemocast.simulate.anatomy.atlas import (
    DISTANCE_STEP,
    DISTANCE_ZERO,
    ORIGIN,
    SHAPE,
    load_atlas,
)
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.simulate.disease.head import (
    Edema,
    Head,
    Infarct,
    Person,
    Stroke,
    build_head,
)
from hemocast.simulate.disease.lesion import TERRITORIES, brain_share
from hemocast.simulate.randomised.labels import (
    ACUTE,
    BRAIN,
    SHARES,
    VAULT_STEPS,
    VENTRICLE,
    WHITES,
    ByteArray,
    Code,
)
from hemocast.simulate.scanner.measure import lay_down
from hemocast.simulate.scanner.response import NEUTRAL

STEP_MM = 1.5
FIRST_MM = np.array([-96.0, -132.0, -110.0])
"""First point of the grid, x, y, z of the patient, mm."""

GRID = (136, 160, 128)
"""Points along z, y, x."""

FORAMEN_MM = -66.0
"""Height of the foramen magnum in the atlas, mm: what is lower is cord and canal."""

DEPTH_ZERO = 128
"""Count in `LabelledHead.depth` that stands for the dura; a count is half a millimetre."""

_CODE_OF = {
    Tissue.AIR: Code.AIR, Tissue.SCALP: Code.SCALP, Tissue.MUSCLE: Code.MUSCLE,
    Tissue.FAT: Code.FAT, Tissue.SKIN: Code.SKIN, Tissue.FALX: Code.FALX,
    Tissue.SINUS_BLOOD: Code.SINUS, Tissue.BONE: Code.BONE, Tissue.SPONGE: Code.SPONGE,
    Tissue.CAVITY: Code.CAVITY, Tissue.GLOBE: Code.GLOBE, Tissue.LENS: Code.LENS,
    Tissue.CANAL: Code.CANAL, Tissue.CORD: Code.CORD, Tissue.FRONTAL_SINUS: Code.BONE,
    Tissue.MASTOID: Code.SPONGE, Tissue.CALCIUM: Code.CALCIUM, Tissue.LACUNE: Code.OLD_INFARCT,
    Tissue.ARTERY: Code.ARTERY, Tissue.CLOT: Code.CLOT, Tissue.OLD_INFARCT: Code.OLD_INFARCT,
    Tissue.VEIN: Code.SINUS, Tissue.TENTORIUM: Code.FALX, Tissue.FAINT_CALCIUM: Code.CALCIUM,
    Tissue.DEEP_VEIN: Code.ARTERY,
}  # fmt: skip


@dataclass(frozen=True)
class LabelledHead:
    """One head on its own grid, (z, y, x), uint8.

    Parameters
    ----------
    code : ndarray of uint8
        What lies in every voxel: a `Code`, or a brain's code.
    depth : ndarray of uint8
        Signed distance to the dura: `DEPTH_ZERO` on it, less inside, in half millimetres.
    """

    code: ByteArray
    depth: ByteArray


def label_head(head: Head) -> LabelledHead:
    """Bring a head, swollen as it is, to its own grid.

    Parameters
    ----------
    head : Head
        As `build_head` draws it.
    """
    subject = lay_down(head, NEUTRAL)
    atlas, shape = load_atlas(), subject.shape
    own = [FIRST_MM[2 - a] + STEP_MM * np.arange(GRID[a]) for a in range(3)]
    mni = [own[a] / shape.scale[2 - a] for a in range(3)]
    places = [(mni[a] - ORIGIN[2 - a]) / FIELD for a in range(3)]
    limits = [np.clip(p, 0, n - 1) for p, n in zip(places, shape.threshold.shape, strict=True)]
    at = []
    for a in range(3):
        along = [1, 1, 1]
        along[a] = -1
        moved = on_axes(shape.bend[2 - a], limits) + np.float32(places[a] * FIELD).reshape(along)
        at.append(np.clip(np.rint(moved), 0, SHAPE[a] - 1).astype(np.int32))
    height = at[0] + np.float32(ORIGIN[2])
    flat = (at[0] * SHAPE[1] + at[1]) * SHAPE[2] + at[2]
    ventricle = atlas.ventricle[tuple(np.minimum(a // 2, n - 1) for a, n in
                                      zip(at, atlas.ventricle.shape, strict=True))]  # fmt: skip
    tissue = head.tissue.ravel().take(flat)
    distance = atlas.distance.ravel().take(flat) * np.float32(DISTANCE_STEP)
    distance -= np.float32(DISTANCE_ZERO * DISTANCE_STEP + shape.gap)
    share = brain_share(atlas.level.ravel().take(flat), on_axes(shape.threshold, limits))
    white = atlas.white.ravel().take(flat) * np.float32(1 / 255)
    known = np.full(256, Code.MUSCLE, np.uint8)
    for kind, value in _CODE_OF.items():
        known[kind] = value
    code = known[tissue]
    solid = tissue >= Tissue.BONE
    brain = (BRAIN + WHITES * np.rint(share * (SHARES - 1)) + np.rint(white * (WHITES - 1))).astype(
        np.uint8
    )
    brain += np.where((ventricle > 0.78) & (share < 0.7), VENTRICLE - BRAIN, 0).astype(np.uint8)
    if subject.infarct is not None:
        brain += np.where(subject.infarct.ravel().take(flat) > 127, ACUTE, 0).astype(np.uint8)
    inside = (distance < 0) & ~solid & (code != Code.FALX) & (code != Code.SINUS)
    spinal = inside & (height < FORAMEN_MM)
    code = np.where(inside, brain, code)
    code[spinal] = np.where(share[spinal] > 0.5, Code.CORD, Code.CANAL)
    outward = distance / on_axes(shape.skull, limits)
    vault = ~solid & (outward >= 0) & (outward <= 1)
    steps = np.clip(outward * VAULT_STEPS, 0, VAULT_STEPS - 1).astype(np.uint8)
    code = np.where(vault, Code.VAULT + steps, code)
    inner = (distance < 0) & ~np.isin(code, (Code.BONE, Code.SPONGE, Code.CAVITY))
    depth = np.clip(np.where(inner, distance, np.maximum(distance, 0.5)) * 2 + DEPTH_ZERO, 0, 255)
    return LabelledHead(code.astype(np.uint8), depth.astype(np.uint8))


def draw_person(rng: Generator) -> tuple[Person, Stroke | None]:
    """Draw whose head it is: child-like narrow sulci to very old, with strokes new and old."""
    age = float(rng.uniform(18, 98))
    old = None
    if rng.random() < 0.3:
        old = _infarct(rng, 2.5, 80)
    grades = int(rng.integers(0, 3)), int(rng.integers(0, 3))
    person = Person(age, bool(rng.random() < 0.5), grades, old)
    if rng.random() < 0.35:
        return person, None
    infarct = _infarct(rng, 1.5, 250)
    swollen = float(rng.uniform(0, 8)) if infarct.volume_ml > 80 else 0.0
    edema = Edema(float(rng.uniform(0.05, 0.3)), swollen)
    return person, Stroke(infarct, edema, bool(rng.random() < 0.4))


def _infarct(rng: Generator, least_ml: float, most_ml: float) -> Infarct:
    territory = TERRITORIES[rng.integers(len(TERRITORIES))]
    small = territory in ("lacunar", "pons")
    most = 4.0 if small else most_ml
    volume = float(np.exp(rng.uniform(np.log(min(least_ml, most / 2)), np.log(most))))
    return Infarct(territory, ("left", "right")[rng.integers(2)], volume, int(rng.integers(64)))


def keep_heads(folder: Path, count: int, seed: int) -> None:
    """Build labelled heads into a folder; those that lie there are kept.

    Parameters
    ----------
    folder : Path
        Working folder.
    count : int
        Heads wanted.
    seed : int
        The same seed gives the same heads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        path = folder / f"head-{seed}-{k:04d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng(SeedSequence([seed, k, 11]))
        made = label_head(build_head(rng, *draw_person(rng)))
        with replacing(path) as target, target.open("wb") as file:
            np.savez(file, code=made.code, depth=made.depth)


def read_head(path: Path) -> LabelledHead:
    """Read a head that `keep_heads` wrote."""
    with np.load(path, allow_pickle=False) as held:
        return LabelledHead(held["code"], held["depth"])
