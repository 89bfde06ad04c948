"""How often the gate says that a scan is unlike: gate.py STACKS OUT.jsonl [N]. It goes on.

The gate is learned as ``hemocast train`` does, from up to 600 scans of STACKS (of ``hemocast
simulate --preset paper --format stacks``); of its other scans one in a hundred should be doubted,
and the last 30 are changed as stacks. Then N whole scans (20) of the preset's other patients,
prepared as a hospital's are, as they are and changed, and N of preset practice. Each is refused,
doubted by the gate, or passed. And the real head and the phantom, where HEMOCAST_TEST_DATA has
them.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from heads import Row, rows_of, share
from orientation import REAL
from scipy import ndimage

from hemocast.anatomy import find_brain
from hemocast.config import PrepareConfig, SimulateConfig
from hemocast.dicom import read
from hemocast.errors import HemocastError
from hemocast.model.features import measure_features, measure_levels
from hemocast.model.gate import Gate, learn_gate
from hemocast.pipeline.training_data import MEASURED
from hemocast.prepare.eligibility import eligible_stack
from hemocast.simulate import PRESETS
from hemocast.simulate.epidemiology.patients import Patient, draw_cohort, scan_patient
from hemocast.train import StackTable
from hemocast.volume import FloatArray, Source, Volume, from_levels, to_levels

CONFIG = PrepareConfig()
SPACING = (CONFIG.frame_mm, CONFIG.pixel_mm, CONFIG.pixel_mm)


def _measure(table: StackTable, rows: slice) -> np.ndarray:
    """Measure stacks; the distance of their slices is 5 mm, as a dataset's record would say."""
    array = table.open()
    return np.array(
        [measure_levels(array[row], SPACING, CONFIG.window, 5.0) for row in table.rows[rows]]
    )


@lru_cache(maxsize=1)
def _gate() -> Gate:
    table = StackTable.of_folder(Path(sys.argv[1]))
    gate = learn_gate(_measure(table, slice(MEASURED)), simulated=True)
    if gate is None:
        sys.exit("too few stacks")
    return gate


def _texture(volume: Volume, blur_mm: float) -> FloatArray:
    """Noise of standard deviation 1, as grainy as a kernel of that width makes it."""
    rng = np.random.default_rng(5)
    pixels = blur_mm / 2.355 / volume.spacing[1]
    noise = ndimage.gaussian_filter(rng.normal(size=volume.hu.shape), (0, pixels, pixels))
    return np.asarray(noise / noise.std(), np.float32)


def _noisy(volume: Volume) -> Volume:
    """Three times the noise of 4 HU: added in quadrature."""
    return replace(volume, hu=volume.hu + np.float32(np.sqrt(8) * 4) * _texture(volume, 1.2))


def _sharp(volume: Volume) -> Volume:
    """Frequencies raised as a bone kernel does, which multiplies the noise too."""
    pixels = 1.0 / volume.spacing[1]
    soft = ndimage.gaussian_filter(volume.hu, (0, pixels, pixels))
    return replace(volume, hu=(soft + 3 * (volume.hu - soft)).astype(np.float32))


def _thick(volume: Volume) -> Volume:
    """Slices of 10 mm: each two become one."""
    n = len(volume.hu) // 2 * 2
    hu = (volume.hu[0:n:2] + volume.hu[1:n:2]) / 2
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, 2] / 2
    affine[:3, 2] *= 2
    return replace(volume, hu=hu, affine=affine, slices=volume.slices[0:n:2])


def _rim(volume: Volume, hu: float = 12, mm: float = 4) -> Volume:
    """Brighten the brain's edge, as beam hardening badly corrected does."""
    brain = find_brain(volume).mask
    depth = ndimage.distance_transform_edt(brain, sampling=volume.spacing)
    add = np.where(brain, hu * np.exp(-((depth / mm) ** 2)), 0)
    return replace(volume, hu=(volume.hu + add).astype(np.float32))


def _texture_low(volume: Volume) -> Volume:
    """Clouds of 4 HU, some 4 cm wide."""
    clouds = _texture(volume, 40)
    return replace(volume, hu=volume.hu + np.float32(4) * clouds)


def _contrast(volume: Volume) -> Volume:
    """Vessels and grey matter enhanced: the brightest tenth by 60 HU, the rest by 4."""
    brain = find_brain(volume).mask
    soft = ndimage.gaussian_filter(volume.hu, (0, 1.5, 1.5))
    bright = brain & (soft > np.quantile(soft[brain], 0.97))
    return replace(volume, hu=(volume.hu + 4 * brain + 120 * bright).astype(np.float32))


def _blood(volume: Volume) -> Volume:
    """A bleed of 8 mL, 62 HU, a quarter of the brain's width from the middle."""
    brain = np.argwhere(find_brain(volume).mask)
    low, high = brain.min(0), brain.max(0)
    middle = (low + high) / 2 + [0, 0, (high[2] - low[2]) / 4]
    grid = np.indices(volume.hu.shape) - middle[:, None, None, None]
    radius = np.sqrt(sum((g * s) ** 2 for g, s in zip(grid, volume.spacing, strict=True)))
    ball = radius < (8000 * 3 / 4 / np.pi) ** (1 / 3)
    hu = np.where(ball, 62 + 4 * _texture(volume, 1.2), volume.hu)
    return replace(volume, hu=hu.astype(np.float32))


def _body(volume: Volume) -> Volume:
    """An abdomen, roughly: soft tissue of 45 HU with a spine, no skull."""
    grid = (
        np.indices(volume.hu.shape)[1:] / np.array(volume.hu.shape[1:])[:, None, None, None] - 0.5
    )
    hu = np.where(np.hypot(grid[0] / 0.3, grid[1] / 0.42) < 1, 45, -1000)
    hu = np.where(np.hypot(grid[0] - 0.18, grid[1]) < 0.06, 400, hu)
    noise = 6 * _texture(volume, 1.2)
    return replace(volume, hu=(hu + np.where(hu > -500, noise, 0)).astype(np.float32))


CHANGED: dict[str, Callable[[Volume], Volume]] = {
    "as it is": lambda volume: volume,
    "noise x 3": _noisy,
    "bone-like kernel": _sharp,
    "slices of 10 mm": _thick,
    "bright rim of 12 HU": _rim,
    "clouds of 4 HU": _texture_low,
    "CT numbers 8 HU too high": lambda v: replace(v, hu=v.hu + np.float32(8) * (v.hu > -200)),
    "contrast agent": _contrast,
    "blood, 8 mL": _blood,
    "abdomen": _body,
}


def _filled(frames: FloatArray) -> np.ndarray:
    return np.stack([ndimage.binary_fill_holes(frame > 0) for frame in frames])


def _stack_noise(frames: FloatArray, hu: float) -> FloatArray:
    noise = ndimage.gaussian_filter(
        np.random.default_rng(0).normal(size=frames.shape), (0, 0.7, 0.7)
    )
    return np.asarray(frames + hu / 40 * noise / noise.std())


def _stack_edge(frames: FloatArray) -> FloatArray:
    whole = _filled(frames)
    edge = whole & ~ndimage.binary_erosion(whole, np.ones((1, 3, 3)), iterations=2)
    return np.asarray(frames + 10 / 40 * edge)


def _stack_thick(frames: FloatArray) -> FloatArray:
    return np.repeat((frames[0::2] + frames[1::2]) / 2, 2, axis=0)


def _stack_clouds(frames: FloatArray) -> FloatArray:
    clouds = ndimage.gaussian_filter(
        np.random.default_rng(1).normal(size=frames.shape), (3, 15, 15)
    )
    return np.asarray(frames + 4 / 40 * clouds / clouds.std())


ON_STACKS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "noise of 6 HU added": lambda frames: _stack_noise(frames, 6),
    "noise of 12 HU added": lambda frames: _stack_noise(frames, 12),
    "sharpened (unsharp mask, 1 mm, 1.5)": lambda frames: (
        frames + 1.5 * (frames - ndimage.gaussian_filter(frames, (0, 1, 1)))
    ),
    "frames in equal pairs (10 mm)": _stack_thick,
    "edge of 2 mm 10 HU brighter": _stack_edge,
    "clouds of 4 HU, 3.5 cm": _stack_clouds,
}


def _stacks(table: StackTable) -> None:
    """Change the levels of the last stacks, and count the doubts."""
    array, rows = table.open(), table.rows[-30:]
    for name, change in ON_STACKS.items():
        doubted = 0
        for row in rows:
            frames = from_levels(array[row])
            made = np.where(frames > 0, np.clip(change(frames), 0, 1), 0).astype(np.float32)
            measured = measure_levels(to_levels(made), SPACING, CONFIG.window, 5.0)
            doubted += _gate().doubt(measured) is not None
        print(f"stacks, {name}: doubted {share(doubted, len(rows))}", flush=True)


def _judge(volume: Volume) -> Row:
    """Read and prepare a scan as prediction does; the gate's distance and words, or the refusal."""
    try:
        stack = eligible_stack(volume, CONFIG)
    except HemocastError as error:
        return {"refused": error.code}
    start = time.process_time()
    measured = measure_features(stack, CONFIG.window)
    doubt = _gate().doubt(measured)
    ms = 1000 * (time.process_time() - start)
    return {"doubt": doubt, "distance": _gate().distance(measured), "ms": ms}


def _head(key: str) -> Row:
    """Judge the first scan of a patient of a preset; one of the paper's, in many disguises too."""
    preset, number = key.split()
    config, patients = _patients(preset)
    if preset == "practice":
        return {"preset practice": _judge(_volume(config, patients[int(number)]))}
    volume = _volume(config, patients[int(number)])
    row: Row = {name: _judge(change(volume)) for name, change in CHANGED.items()}
    row["slices of 1.25 mm"] = _judge(_volume(config, patients[int(number)], 1.25))
    return row


@lru_cache(maxsize=2)
def _patients(preset: str) -> tuple[SimulateConfig, tuple[Patient, ...]]:
    config = PRESETS[preset].model_copy(update={"seed": 900})
    return config, draw_cohort(config)


def _volume(config: SimulateConfig, patient: Patient, slice_mm: float | None = None) -> Volume:
    """Scan, without a gantry's tilt and in even slices: in memory there is no DICOM to say so."""
    scan = patient.scans[0]
    protocol = replace(scan.protocol, tilt_degrees=0.0, mixed=False)
    if slice_mm is not None:
        noise = protocol.noise_hu * float(np.sqrt(protocol.slice_mm / slice_mm))
        protocol = replace(protocol, slice_mm=slice_mm, noise_hu=noise)
    frames = scan_patient(config, patient, replace(scan, protocol=protocol))
    return Volume(frames.hu, frames.affine, ((),) * len(frames.hu), Source("array", ""))


def main() -> None:
    """Count."""
    table = StackTable.of_folder(Path(sys.argv[1]))
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    gate = _gate()
    print(f"gate: {gate.n_scans} scans, {len(gate.features)} measurements, limit {gate.limit:.2f}")
    others = [gate.distance(one) > gate.limit for one in _measure(table, slice(MEASURED, None))]
    if others:
        print(f"other patients of the cohort, doubted: {share(sum(others), len(others))}")
    _stacks(table)
    keys = [f"{kind} {seed}" for seed in range(n) for kind in ("paper", "practice")]
    found: dict[str, list[Row]] = {}
    for row in rows_of(Path(sys.argv[2]), keys, _head):
        for name, one in row.items():
            if name != "key":
                found.setdefault(name, []).append(one)
    for name, rows in found.items():
        refused = Counter(row["refused"] for row in rows if "refused" in row)
        judged = [row for row in rows if "refused" not in row]
        doubted = (
            share(sum(bool(row["doubt"]) for row in judged), len(judged)) if judged else "none"
        )
        words = Counter(str(row["doubt"]).partition("mostly in: ")[2] for row in judged)
        print(
            f"{name}: refused {dict(refused)}; of the others doubted {doubted}; "
            f"{words.most_common(2)}"
        )
    times = [row["ms"] for rows in found.values() for row in rows if "ms" in row]
    print(f"CPU of measuring and judging: median {np.median(times):.0f} ms")
    for path in (REAL, REAL.with_name("phantom_tilt0_5mm.zip")):
        if path.is_file():
            try:
                print(f"{path.stem}: {_judge(read(path))}")
            except HemocastError as error:
                print(f"{path.stem}: refused {error.code}")


if __name__ == "__main__":
    main()
