"""Heads cut at many heights: half_heads.py OUT.jsonl [N [FIRST]]. A stopped run goes on.

N simulated heads (200), of seeds from FIRST (0) on, each whole and cut once, at the base or at the
vertex, by 5 to 50 mm: what is missing as told against what is, how often whole heads raise an
alarm, and from which height on a scan is refused. And the real head, where HEMOCAST_TEST_DATA has
it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from heads import Row, ordinary_head, part_of, rows_of, seeds, share, spread
from orientation import REAL

from hemocast.anatomy import align, find_brain
from hemocast.dicom import read
from hemocast.errors import ContentError
from hemocast.prepare.coverage import DOUBT_MM, LEAST_SHARE, Coverage, measure_coverage
from hemocast.volume import Volume

STEPS_MM = ((0, 8), (8, 15), (15, 22), (22, 30), (30, 40), (40, 60))


def _told(volume: Volume) -> Coverage:
    brain = find_brain(volume)
    return measure_coverage(volume, brain, align(volume, brain))


def _cut(key: str) -> Row:
    """Measure one head whole and cut."""
    rng = np.random.default_rng([int(key), 6])
    volume = ordinary_head(int(key))
    brain = find_brain(volume)
    whole = measure_coverage(volume, brain, align(volume, brain))
    used = np.flatnonzero(brain.mask.any(axis=(1, 2)))
    step = volume.spacing[0]
    slices = max(1, round(float(rng.uniform(5, 50)) / step))
    base = bool(rng.random() < 0.5)
    if base:
        part = part_of(volume, int(used[0]) + slices, len(volume.hu))
    else:
        part = part_of(volume, 0, int(used[-1]) + 1 - slices)
    row: Row = {"base": base, "cut_mm": slices * step, "whole_mm": [whole.base_mm, whole.vertex_mm]}
    try:
        told = _told(part)
    except ContentError as error:
        return row | {"code": error.code}
    return row | {"told_mm": told.base_mm if base else told.vertex_mm, "share": told.share}


def main() -> None:
    """Measure, and print one line for each range of heights."""
    keys = seeds(sys.argv[2:], 200)
    rows = list(rows_of(Path(sys.argv[1]), keys, _cut))
    alarms = sum(max(row["whole_mm"]) >= DOUBT_MM for row in rows)
    print(f"whole heads with an alarm: {share(alarms, len(rows))}")
    for base in (True, False):
        for low, high in STEPS_MM:
            some = [r for r in rows if r["base"] is base and low <= r["cut_mm"] < high]
            told = [r for r in some if "told_mm" in r]
            if not told:
                continue
            errors = np.abs([r["told_mm"] - r["cut_mm"] for r in told])
            refused = len(some) - sum(r["share"] >= LEAST_SHARE for r in told)
            named = len(some) - sum(r["told_mm"] < DOUBT_MM for r in told)
            print(
                f"{'base' if base else 'vertex'} {low} to {high} mm, n {len(some)}: error in mm "
                f"{spread(errors)}; doubted or refused {share(named, len(some))}; "
                f"refused {share(refused, len(some))}"
            )
    if REAL.is_file():
        print(f"real head: {_told(read(REAL))}")


if __name__ == "__main__":
    main()
