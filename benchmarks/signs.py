"""How well are signs measured? On simulated heads with known truth.

    python benchmarks/signs.py OUT.jsonl [--heads N] [--first SEED] [--pictures DIR]

Midline shift against how far the swelling moved the third ventricle, fluid and calcium against the
head as it was drawn. Stops and goes on. `python benchmarks/signs.py OUT.jsonl --summary` prints.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from scipy import ndimage

from hemocast.anatomy import align, find_brain
from hemocast.errors import HemocastError
from hemocast.signs import measure_calcification, measure_fluid, measure_midline
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, render_head
from hemocast.simulate.anatomy.atlas import ORIGIN
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.randomised.heads import DEPTH_ZERO, STEP_MM, label_head
from hemocast.simulate.randomised.labels import ACUTE, BRAIN, INSIDE, SHARES, WHITES, Code
from hemocast.simulate.scanner.measure import lay_down
from hemocast.simulate.scanner.response import NEUTRAL

THIRD_VENTRICLE = np.array([0.0, -12.0, 1.0])
"""MNI x, y, z."""


def draw(seed: int) -> tuple[Person, Stroke, Protocol]:
    """Draw who is scanned and how: a third with swelling, a quarter in thin slices."""
    rng = np.random.default_rng(SeedSequence([seed, 131]))
    grades = int(rng.integers(3)), int(rng.integers(3))
    person = Person(float(rng.uniform(35, 92)), bool(rng.integers(2)), grades)
    side = "left" if rng.integers(2) else "right"
    volume_ml = float(np.exp(rng.uniform(np.log(10), np.log(250))))
    shift = float(rng.uniform(0, 9)) if volume_ml > 70 and rng.random() < 0.8 else 0.0
    infarct = Infarct("MCA", side, volume_ml, int(rng.integers(64)))
    edema = Edema(float(rng.uniform(0.05, 0.3)), shift)
    noise = float(rng.uniform(3, 6))
    protocol = Protocol(matrix=512, noise_hu=noise, slice_mm=1.25 if seed % 4 == 3 else 5.0)
    return person, Stroke(infarct, edema), protocol


def truth(seed: int, person: Person, stroke: Stroke) -> dict[str, float]:
    """What was drawn: shift of the third ventricle (mm, right positive), fluid share, calcium."""

    def head(edema: Edema) -> Any:
        rng = np.random.default_rng(SeedSequence([seed, 2]))
        return build_head(rng, person, replace(stroke, edema=edema))

    swollen = head(stroke.edema)
    moved = np.zeros(3)
    if stroke.edema.shift_mm:
        still = lay_down(head(replace(stroke.edema, shift_mm=0.0)), NEUTRAL).shape.bend
        by = still[0] - lay_down(swollen, NEUTRAL).shape.bend[0]
        at = ((THIRD_VENTRICLE - ORIGIN) / FIELD)[::-1, None]
        moved = ndimage.map_coordinates(by, at, order=1) * swollen.shape.scale[0]
    labelled = label_head(swollen)
    code = labelled.code.astype(int)
    code = np.where(code >= BRAIN + ACUTE, code - ACUTE, code)
    soft = (code >= BRAIN) & (code < BRAIN + 2 * SHARES * WHITES)
    share = np.where(soft, (code - BRAIN) % (SHARES * WHITES) // WHITES / (SHARES - 1), 1)
    calcium = (labelled.code == Code.CALCIUM) & (labelled.depth < DEPTH_ZERO - 10)
    return {
        "shift_mm": round(float(moved[0]), 2),
        "fluid": round(float((1 - share).sum() / INSIDE[labelled.code].sum()), 4),
        "calcium_ml": round(float(calcium.sum()) * STEP_MM**3 / 1000, 3),
    }


def case(seed: int, pictures: Path | None) -> dict[str, Any]:
    """Measure one head."""
    person, stroke, protocol = draw(seed)
    row: dict[str, Any] = {"seed": seed, "age": round(person.age), "slice_mm": protocol.slice_mm}
    row["true"] = truth(seed, person, stroke)
    volume = render_head(seed, person, stroke, protocol=protocol)
    try:
        brain = find_brain(volume)
        alignment = align(volume, brain)
    except HemocastError as error:
        return {**row, "refused": error.code}
    shift = measure_midline(volume, alignment)
    calcium = measure_calcification(volume, brain)
    if pictures is not None:
        _picture(volume, alignment, shift, row, pictures / f"{seed}.png")
    return {
        **row,
        "shift_mm": shift and round(shift.shift_mm, 2),
        "fluid": round(measure_fluid(volume, brain).share, 4),
        "calcium_ml": calcium and round(calcium.volume_ml, 3),
    }


def _picture(volume: Any, alignment: Any, shift: Any, row: dict[str, Any], path: Path) -> None:
    """Show the plane of the third ventricle, upright, with the midline and what was found."""
    from matplotlib.figure import Figure

    side = np.arange(-80, 80.5, 0.5)
    x, y = np.meshgrid(side, np.arange(95, -95, -0.5))
    upright = np.stack([x, y, np.full_like(x, -4.0), np.ones_like(x)], -1)
    voxel = upright @ (np.linalg.inv(volume.affine) @ alignment.matrix).T
    hu = ndimage.map_coordinates(volume.hu, [voxel[..., 2], voxel[..., 1], voxel[..., 0]], order=1)
    figure = Figure(figsize=(4, 4.6))
    axes = figure.add_axes((0, 0, 1, 0.92))
    axes.imshow(hu, cmap="gray", vmin=0, vmax=80, extent=(-80, 80, -95, 95))
    axes.axvline(0, color="cyan", lw=0.6)
    axes.axvline(row["true"]["shift_mm"], color="lime", lw=0.6, ls=":")
    if shift is not None:
        axes.axvline(shift.shift_mm, color="red", lw=0.6, ymin=0.3, ymax=0.7)
    axes.set_axis_off()
    found = "none" if shift is None else f"{shift.shift_mm:.1f}"
    figure.suptitle(f"{row['seed']}: found {found}, true {row['true']['shift_mm']:.1f} mm", size=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def summary(rows: list[dict[str, Any]]) -> None:
    """Print bias, limits of agreement and correlation of each sign."""
    done = [row for row in rows if "fluid" in row]
    print(f"{len(rows)} heads, {len(rows) - len(done)} refused")
    for name in ("shift_mm", "fluid", "calcium_ml"):
        for slices in (None, 5.0, 1.25):
            part = [
                (row["true"][name], row[name])
                for row in done
                if row[name] is not None and slices in (None, row["slice_mm"])
            ]
            drawn, found = np.array(part).T
            error = found - drawn
            print(
                f"{name:11} {slices or 'all'} mm: n {len(part)}, bias {error.mean():.3f}, "
                f"SD {error.std(ddof=1):.3f}, limits {error.mean() - 1.96 * error.std(ddof=1):.3f} "
                f"to {error.mean() + 1.96 * error.std(ddof=1):.3f}, largest "
                f"{np.abs(error).max():.3f}, r {np.corrcoef(drawn, found)[0, 1]:.3f}, ratio "
                f"{np.median(found / np.maximum(drawn, 1e-6)):.2f}"
            )
    for least in (3.0, 5.0):
        told = [abs(row["shift_mm"] or 0) >= least for row in done]
        is_so = [abs(row["true"]["shift_mm"]) >= least for row in done]
        both = sum(a and b for a, b in zip(told, is_so, strict=True))
        print(
            f"shift >= {least:g} mm: {both} of {sum(is_so)} found, {sum(told) - both} more called"
        )


def main() -> None:
    """Run or print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--summary", action="store_true")
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.exists() else []
    rows = [json.loads(line) for line in lines]
    if given.summary:
        summary(rows)
        return
    known = {row["seed"] for row in rows}
    for seed in range(given.first, given.first + given.heads):
        if seed not in known:
            with given.out.open("a") as file:
                file.write(json.dumps(case(seed, given.pictures)) + "\n")


if __name__ == "__main__":
    main()
