"""Heads for the benchmark of the tissue map: the full simulated scanner, with what is wrong known.

None of this is used in training: other seeds, and the scanner of `hemocast.simulate.scanner`
instead of the randomised one. Bone is taken away, metal put in and blood drawn here anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator, SeedSequence
from scipy import ndimage

from hemocast.simulate import Edema, Head, Infarct, Person, Protocol, Stroke, build_head
from hemocast.simulate.anatomy.atlas import (
    DISTANCE_STEP,
    DISTANCE_ZERO,
    ORIGIN,
    SHAPE,
    load_atlas,
    nearest_voxel,
)  # fmt: skip
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.simulate.disease.lesion import TissueShare, brain_share
from hemocast.simulate.scanner import measure
from hemocast.simulate.scanner.measure import lay_down
from hemocast.simulate.scanner.place import place_slices
from hemocast.simulate.scanner.response import draw_response
from hemocast.simulate.scanner.scan import magnify, scan_head, scan_points
from hemocast.volume import BoolArray, FloatArray, Source, Volume

FORAMEN_MM = -66.0
FAULTS = ("craniectomy", "thin bone", "metal", "tilt", "motion", "thick", "thin")


@dataclass(frozen=True)
class Case:
    """A scan whose truth is known.

    Parameters
    ----------
    volume : Volume
        The scan.
    inside : ndarray of bool
        Inside the dura, above the foramen magnum.
    far_outside : ndarray of bool
        Eyes and neck: globes, and what lies 10 mm below the foramen magnum.
    """

    volume: Volume
    inside: BoolArray
    far_outside: BoolArray


def draw_head(rng: Generator, stroke: bool = True) -> Head:
    """Draw an ordinary head, young or old."""
    person = Person(float(rng.uniform(25, 95)), bool(rng.integers(2)),
                    (int(rng.integers(3)), int(rng.integers(3))))  # fmt: skip
    infarct = Infarct(("MCA", "PCA", "ACA", "cerebellar")[rng.integers(4)], "left", 40.0)
    ill = Stroke(infarct, Edema(float(rng.uniform(0.05, 0.2))))
    return build_head(rng, person, ill if stroke else None)


def draw_protocol(rng: Generator, fault: str | None) -> Protocol:
    """Draw how a head is scanned; a fault may be in how."""
    slice_mm = {"thick": float(rng.uniform(7, 10)), "thin": float(rng.uniform(1, 2))}.get(
        fault or "", float(rng.choice([3.0, 4.0, 5.0, 5.0, 6.0]))
    )
    turn = rng.uniform(-38, 38, 3) if fault == "tilt" else np.clip(rng.normal(0, 5, 3), -12, 12)
    return Protocol(
        matrix=256, slice_mm=slice_mm, rotation_degrees=tuple(float(t) for t in turn),
        margin_mm=(float(rng.uniform(2, 25)), float(rng.uniform(0, 7))),
        blur_mm=float(rng.uniform(1.0, 1.6)), holder=bool(rng.integers(2)),
        noise_hu=float(rng.uniform(2.5, 5) * np.sqrt(5 / slice_mm)),
        motion_mm=float(rng.uniform(2, 5)) if fault == "motion" else 0.0,
        response=draw_response(rng),
    )  # fmt: skip


def scanned(seed: int, head: Head, protocol: Protocol) -> Case:
    """Scan a head, and say what lies where."""
    frames = scan_head(head, protocol, np.random.default_rng(SeedSequence([seed, 3])))
    source = Source("array", f"{seed}", n_files=len(frames.hu), simulated=True)
    volume = Volume(frames.hu, frames.affine, ((),) * len(frames.hu), source)
    subject = lay_down(head, protocol.response)
    place = place_slices(subject.shape.scale, protocol)
    voxel, _ = scan_points(subject, protocol, place)
    atlas, step = load_atlas(), protocol.matrix // 32
    inside = np.zeros(frames.hu.shape, np.bool_)
    outside = np.zeros(frames.hu.shape, np.bool_)
    for k in range(len(inside)):
        fine = magnify(voxel[k][1:2], step)
        at = nearest_voxel(fine)[0]
        depth = (atlas.distance.ravel().take(at) - np.float32(DISTANCE_ZERO)) * DISTANCE_STEP
        tissue, height = head.tissue.ravel().take(at), fine[0, 0] + ORIGIN[2]
        bony = (tissue >= Tissue.BONE) & ~np.isin(
            tissue,
            (
                Tissue.CALCIUM,
                Tissue.LACUNE,
                Tissue.ARTERY,
                Tissue.CLOT,
                Tissue.OLD_INFARCT,
                Tissue.FAINT_CALCIUM,
                Tissue.DEEP_VEIN,
            ),
        )
        inside[k] = (depth < subject.shape.gap) & ~bony & (height > FORAMEN_MM)
        outside[k] = (tissue == Tissue.GLOBE) | (height < FORAMEN_MM - 10)
    return Case(volume, inside, outside)


def open_skull(rng: Generator, head: Head, kind: str) -> Head:
    """Take bone away (a third of the vault at most), or thin it, round a place of the vault."""
    atlas = load_atlas()
    mm = (atlas.distance.astype(np.float32) - DISTANCE_ZERO) * DISTANCE_STEP - head.shape.gap
    z, y, x = np.ogrid[tuple(map(slice, SHAPE))]
    way = rng.normal(size=3)
    way[2] = abs(way[2]) if rng.random() < 0.7 else -0.35 - 0.2 * rng.random()
    if way[2] < 0:  # low: only the occiput is vault
        way[:2] = -1.0, rng.normal(0, 0.35)
    elif way[1] > 0.6:
        way[1] *= -1
    centre = np.array([0.0, -20.0, 0.0])
    if way[2] > 0:
        way /= np.linalg.norm(way)
        x0, y0, z0 = centre + way[[0, 1, 2]] * 85
    else:
        x0, y0, z0 = 30 * way[1], -105.0, -35.0
    reach = np.sqrt((x + ORIGIN[0] - x0) ** 2 + (y + ORIGIN[1] - y0) ** 2 +
                    (z + ORIGIN[2] - z0) ** 2)  # fmt: skip
    radius = rng.uniform(15, 60) if kind == "craniectomy" else rng.uniform(15, 45)
    gone = (reach < radius) & (mm >= 0) & (mm < 19) & (head.tissue != Tissue.AIR)
    gone &= head.tissue != Tissue.CAVITY
    tissue = head.tissue.copy()
    vault = gone & (mm < 12)
    tissue[vault] = Tissue.CORD if kind == "craniectomy" else Tissue.CALCIUM
    return replace(head, tissue=tissue)


def with_metal(rng: Generator, case: Case) -> Case:
    """Put a coil or clip with streaks over several slices into a brain."""
    hu = case.volume.hu.copy()
    deep = np.argwhere(ndimage.binary_erosion(case.inside, iterations=3))
    z0, y0, x0 = deep[rng.integers(len(deep))]
    height = max(1, round(rng.uniform(4, 14) / case.volume.spacing[0]))
    rows, columns = np.ogrid[: hu.shape[1], : hu.shape[2]]
    r, angle = np.hypot(rows - y0, columns - x0), np.arctan2(rows - y0, columns - x0)
    for k in range(max(z0 - height // 2, 0), min(z0 + height // 2 + 1, len(hu))):
        rays = np.zeros(r.shape, np.float32)
        for turn in rng.uniform(-np.pi, np.pi, 20):
            near = np.abs(np.sin(angle - turn)) * r < 2 + 0.02 * r
            rays += near * rng.choice([-1, 1]) * rng.uniform(40, 200) * np.exp(-r / 80)
        hu[k] += rays * (hu[k] > -300)
        hu[k][r < rng.uniform(2, 5)] = 3071
    return replace(case, volume=replace(case.volume, hu=np.clip(hu, -1500, 3071)))


def draw_case(seed: int, fault: str | None) -> Case:
    """Draw one head and scan; `fault` is one of `FAULTS`, or None for an ordinary one."""
    rng = np.random.default_rng(SeedSequence([seed, 77]))
    head = draw_head(rng)
    if fault in ("craniectomy", "thin bone"):
        head = open_skull(rng, head, fault)
    case = scanned(seed, head, draw_protocol(rng, fault))
    return with_metal(rng, case) if fault == "metal" else case


def bled(rng: Generator, head: Head, place: str, size: float) -> Head:
    """Put blood into a head.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    head : Head
        Without blood.
    place : {"parenchyma", "ventricle", "subdural", "subarachnoid", "petechial"}
        Where.
    size : float
        mL of the atlas' space; thickness in mm for a subdural one.
    """
    atlas = load_atlas()
    shape = head.shape
    tissue_ml = float(np.prod(shape.scale)) / 1000
    mm = (atlas.distance.astype(np.float32) - DISTANCE_ZERO) * DISTANCE_STEP - shape.gap
    free = (head.tissue < Tissue.BONE) & (mm < 0)
    free[: int(FORAMEN_MM - ORIGIN[2])] = False
    level = atlas.level
    rise = np.float32(np.median(shape.threshold))
    share = brain_share(level, np.full(level.shape, rise, np.float32))
    ventricle = _ventricles(share, int(size / tissue_ml) if place == "ventricle" else 1)
    allowed = {
        "parenchyma": free & (share > 0.5) & (mm < -6),
        "ventricle": free & ventricle,
        "subdural": free & (mm > -4) & (np.arange(SHAPE[0])[:, None, None] + ORIGIN[2] > -5),
        "subarachnoid": free & (share < 0.5) & (mm < -1) & ~ventricle,
        "petechial": free & (share > 0.5) & (atlas.white < 110) & (mm < -2),
    }[place]
    at = np.argwhere(allowed)
    seed = at[rng.integers(len(at))]
    widths = np.exp(rng.normal(0, 0.2, 3))
    grid = np.ogrid[tuple(map(slice, SHAPE))]
    squares = (((g - s) / w) ** 2 for g, s, w in zip(grid, seed, widths, strict=True))
    reach = np.sqrt(sum(squares)).astype(np.float32)
    part = ndimage.find_objects((reach < 75).astype(np.uint8))[0]
    reach, allowed, depth = reach[part], allowed[part], mm[part]
    rough = ndimage.gaussian_filter(rng.standard_normal(reach.shape, dtype=np.float32), 4)
    rough /= rough.std()
    if place == "subdural":
        wide = rng.uniform(30, 70)
        held = (free[part] & (-depth < size * np.sqrt(np.clip(1.15 - (reach / wide) ** 2, 0, 1)))
                & (reach < wide))  # fmt: skip
    else:
        order = reach + {"parenchyma": 1.2, "ventricle": 0.5}.get(place, 0.0) * rough
        if place == "petechial":
            spots = ndimage.gaussian_filter(rng.standard_normal(reach.shape, dtype=np.float32), 1.5)
            order = np.where(reach < 28, -spots / spots.std(), 9)
        ranks = np.flatnonzero(allowed)
        count = min(int(size / tissue_ml), len(ranks))
        first = ranks[np.argsort(order.ravel()[ranks], kind="stable")[:count]]
        held = np.zeros(reach.shape, np.bool_)
        held.ravel()[first] = True
    start = tuple(int(p.start) for p in part)
    return replace(head, blood=TissueShare(start, (held * 255).astype(np.uint8)))  # type: ignore[arg-type]


def _ventricles(share: FloatArray, least: int) -> BoolArray:
    """Lateral, third and fourth ventricle, each as one piece of at least so many voxels.

    The atlas' own map takes cisterns, the fissure between the hemispheres and that of the insula
    for ventricles, too: they are left out by where they lie, mm.
    """
    near = np.repeat(np.repeat(np.repeat(load_atlas().ventricle, 2, 0), 2, 1), 2, 2)
    near = (near[: SHAPE[0], : SHAPE[1], : SHAPE[2]] > 0.78) & (share < 0.5)
    z, y, x = np.ogrid[tuple(map(slice, SHAPE))]
    z, y, x = z + ORIGIN[2], y + ORIGIN[1], np.abs(x + ORIGIN[0])
    insula = (x > 24) & (y > -22)
    cistern = ((x < 12) & (y < -32) & (z < 14)) | ((x < 5) & (y < -20))
    parts = (
        (z > -4) & (z < 31) & (x > 1) & (y > -62) & (y < 34) & ~insula & ~cistern,
        (z > -16) & (z < 10) & (x < 5) & (y > -26) & (y < 6),
        (z < -22) & (x < 14) & (y > -56) & (y < -34),
    )
    whole = np.zeros(SHAPE, np.bool_)
    for part in parts:
        labels, n = ndimage.label(near & part)
        held = np.bincount(labels.ravel(), minlength=n + 1) >= least
        held[0] = False
        whole |= held[labels]
    return whole


def bled_ml(head: Head) -> float:
    """Return the blood a head holds, mL, the bend of its shape left out."""
    held = head.blood.share if head.blood else np.zeros(1, np.uint8)
    return float((held > 127).sum()) * float(np.prod(head.shape.scale)) / 1000


def set_blood_hu(hu: float) -> None:
    """Let the blood of the next scans measure so much."""
    measure.BLOOD_HU = hu
