"""How good are the brain mask and the blood screen? On simulated heads with known truth.

    python benchmarks/tissue_map.py mask|blood|quiet OUT.jsonl [--heads N] [--first SEED]
    python benchmarks/tissue_map.py blood OUT.jsonl --only ventricle-2,subdural-3

`mask`: Dice, holes, eyes and neck; every second head has one of seven faults. `blood`: hits by
place and size. `quiet`: false alarms in heads without blood, with calcium and dense vessels. Stops
and goes on: what OUT holds is not done again. `summary OUT.jsonl` prints the table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from scipy import ndimage
from tissue_heads import (
    FAULTS,
    bled,
    bled_ml,
    draw_case,
    draw_head,
    draw_protocol,
    scanned,
    set_blood_hu,
)  # fmt: skip

from hemocast.anatomy import align, find_brain
from hemocast.errors import HemocastError
from hemocast.signs import find_blood
from hemocast.signs.subdural import look_at_rim
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.stats.proportions import wilson

PLACES: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("parenchyma", (0.5, 1.0, 2.0, 3.0)), ("ventricle", (1.0, 2.0, 3.0)),
    ("subdural", (2.0, 3.0, 5.0)), ("subarachnoid", (1.0, 3.0, 8.0)), ("petechial", (1.0, 3.0)),
)  # fmt: skip


def mask_case(seed: int) -> dict[str, Any]:
    """Compare one mask with the truth."""
    fault = FAULTS[seed // 2 % len(FAULTS)] if seed % 2 else None
    case = draw_case(seed, fault)
    row: dict[str, Any] = {"seed": seed, "fault": fault or "none"}
    try:
        brain = find_brain(case.volume)
    except HemocastError as error:
        return {**row, "refused": error.code}
    ml = float(np.prod(case.volume.spacing)) / 1000
    # What bone brightens beyond 130 HU shows no brain, wherever the dura runs through it.
    shown = case.inside & (ndimage.uniform_filter(case.volume.hu, (1, 3, 3)) < 130)
    # A hole, not a strip along the rim: lost further than 4 mm from what is no brain.
    reach = [2 * max(1, round(4 / mm)) + 1 for mm in case.volume.spacing]
    lost = ndimage.minimum_filter(shown, reach) & ~brain.mask
    labels, n = ndimage.label(lost)
    hole = float(np.bincount(labels.ravel())[1:].max() * ml) if n else 0.0
    return {
        **row,
        "dice": _dice(brain.mask, shown),
        "dice_all": _dice(brain.mask, case.inside),
        "hole_ml": round(hole, 2),
        "more_ml": round(float((brain.mask & ~case.inside).sum() * ml), 1),
        "lost_ml": round(float((shown & ~brain.mask).sum() * ml), 1),
        "eyes_neck_ml": round(float((brain.mask & case.far_outside).sum() * ml), 2),
        "doubts": list(brain.doubts),
    }


def _dice(one: Any, other: Any) -> float:
    return round(2 * int((one & other).sum()) / int(one.sum() + other.sum()), 4)


def blood_case(seed: int) -> dict[str, Any]:
    """Look for one bleed."""
    rng = np.random.default_rng(SeedSequence([seed, 78]))
    place, size = _kind_of(seed)
    hu = float(rng.uniform(50, 75))
    set_blood_hu(hu)
    head = bled(rng, draw_head(rng, stroke=bool(rng.integers(2))), place, size)
    case = scanned(seed, head, draw_protocol(rng, None))
    asked = {"seed": seed, "place": place, "size": size, "hu": round(hu)}
    return {**asked, "ml": round(bled_ml(head), 2), **_said(case.volume)}


def _kind_of(seed: int) -> tuple[str, float]:
    """Place and size of a head's bleed: all in turn."""
    kinds = [(place, size) for place, sizes in PLACES for size in sizes]
    return kinds[seed % len(kinds)]


def quiet_case(seed: int) -> dict[str, Any]:
    """Look for blood where there is none."""
    rng = np.random.default_rng(SeedSequence([seed, 79]))
    head = draw_head(rng)
    z, y, x = np.ogrid[tuple(map(slice, head.tissue.shape))]
    for _ in range(int(rng.integers(2, 6))):  # choroid plexus and falx
        falx = np.argwhere(head.tissue == Tissue.FALX)
        at = falx[rng.integers(len(falx))]
        if rng.random() < 0.5:
            side = 22 * rng.choice([-1, 1])
            at = np.array([121 + rng.normal(0, 3), 93 + rng.normal(0, 2), 98 + side])
        near = (z - at[0]) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2 < rng.uniform(1.5, 5) ** 2
        head.tissue[near & (head.tissue < Tissue.BONE)] = Tissue.CALCIUM
    head.tissue[head.tissue == Tissue.ARTERY] = Tissue.CLOT
    case = scanned(seed, head, draw_protocol(rng, None))
    return {"seed": seed, "place": "none", "size": 0, **_said(case.volume)}


def _said(volume: Any) -> dict[str, Any]:
    try:
        brain = find_brain(volume)
        pose = align(volume, brain)
        found = find_blood(volume, brain, pose)
        rim = look_at_rim(volume, brain, pose)
    except HemocastError as error:
        return {"refused": error.code}
    rim_said = rim is not None and rim.doubt is not None
    return {"found": found.present, "doubted": found.doubt is not None or rim_said,
            "rim": rim_said, "found_ml": round(found.volume_ml, 2)}  # fmt: skip


CASES: dict[str, Callable[[int], dict[str, Any]]] = {
    "mask": mask_case, "blood": blood_case, "quiet": quiet_case,
}  # fmt: skip


def _interval(hits: int, n: int) -> tuple[float, float]:
    interval = wilson(hits, n)
    return interval.low, interval.high


def summary(rows: list[dict[str, Any]]) -> None:
    """Print what a finished run says."""
    if "fault" in rows[0]:
        for fault in ("all", "none", *FAULTS):
            part = [r for r in rows if fault in ("all", r["fault"])]
            done = [r for r in part if "dice" in r]
            if not done:
                continue
            good = sum(r["dice"] >= 0.97 for r in done)
            whole = sum(r["hole_ml"] <= 1 for r in done)
            clean = sum(r["eyes_neck_ml"] <= 0.5 for r in done)
            low, high = _interval(good, len(part))
            worst = min(r["dice"] for r in done)
            print(f"{fault:12} n {len(part)}  refused {len(part) - len(done)}  Dice >= .97 {good}"
                  f" ({good / len(part):.1%}, {low:.1%} to {high:.1%})  median "
                  f"{np.median([r['dice'] for r in done]):.4f}  least {worst:.3f}  "
                  f"all inside the dura {np.median([r['dice_all'] for r in done]):.4f}  "
                  f"no hole > 1 mL "
                  f"{whole}  eyes and neck out {clean}")  # fmt: skip
        return
    for place, size in sorted({(r["place"], r["size"]) for r in rows}):
        part = [r for r in rows if (r["place"], r["size"]) == (place, size)]
        found = sum(bool(r.get("found")) for r in part)
        told = sum(bool(r.get("found") or r.get("doubted") or r.get("refused")) for r in part)
        low, high = _interval(found, len(part))
        print(f"{place:13} {size:4} n {len(part):4}  found {found / len(part):.1%} "
              f"({low:.1%} to {high:.1%})  found or doubted {told / len(part):.1%}")  # fmt: skip


def _wanted(only: str, seed: int) -> bool:
    place, size = _kind_of(seed)
    return not only or f"{place}-{size:g}" in only.split(",")


def main() -> None:
    """Run or go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=[*CASES, "summary"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=300)
    parser.add_argument("--first", type=int, default=500_000)
    parser.add_argument("--only", default="", help="kinds of bleed, as ventricle-2")
    asked = parser.parse_args()
    lines = asked.out.read_text().splitlines() if asked.out.exists() else []
    rows = [json.loads(line) for line in lines]
    if asked.what != "summary":
        done = {row["seed"] for row in rows}
        for seed in range(asked.first, asked.first + asked.heads):
            if seed in done or not _wanted(asked.only, seed):
                continue
            rows.append(CASES[asked.what](seed))
            with asked.out.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    summary(rows)


if __name__ == "__main__":
    main()
