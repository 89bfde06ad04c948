"""How well do masks of acute infarcts lie? infarct_masks.py OUT.jsonl [N [FIRST]].

N simulated heads (60), of seeds from FIRST (0) on, each with an infarct of 3 to 250 mL and 3 to
30 % of water uptake: Dice, on the scan's own grid, of the mask that `hemocast predict` gives and
of what the tissue map holds for acutely dark. A stopped run goes on.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from heads import Row, ordinary, rows_of, seeds, share
from numpy.random import SeedSequence

from hemocast.anatomy.tissue.map import Kind
from hemocast.errors import HemocastError
from hemocast.pipeline.scan_signs import infarct_on_scan, measure_scan
from hemocast.simulate import Edema, Infarct, Stroke, build_head
from hemocast.simulate.scanner.scan import scan_head
from hemocast.volume import BoolArray, Source, Volume

TERRITORIES = ("MCA", "MCA", "MCA superior", "MCA inferior", "PCA", "ACA", "cerebellar")
UPTAKES = (0.03, 0.08, 0.15, 0.31)
SIZES_ML = (3, 20, 70, 251)


def _scanned(seed: int) -> tuple[Volume, BoolArray, Row]:
    """Scan a head with an infarct, and say where that lies."""
    rng = np.random.default_rng([seed, 91])
    person, protocol = ordinary(seed)
    volume_ml = float(np.exp(rng.uniform(*np.log((SIZES_ML[0], SIZES_ML[-1] - 1)))))
    uptake = float(rng.uniform(UPTAKES[0], 0.30))
    territory = TERRITORIES[rng.integers(len(TERRITORIES))]
    infarct = Infarct(territory, ("left", "right")[rng.integers(2)], volume_ml)  # type: ignore[arg-type]
    head = build_head(np.random.default_rng(SeedSequence([seed, 2])), person,
                      Stroke(infarct, Edema(uptake)))  # fmt: skip
    protocol = replace(protocol, matrix=256)
    frames = scan_head(head, protocol, np.random.default_rng(SeedSequence([seed, 3])))
    source = Source("array", f"{seed}", n_files=len(frames.hu), simulated=True)
    volume = Volume(frames.hu, frames.affine, ((),) * len(frames.hu), source)
    truth = frames.infarct > 0.5
    true_ml = float(truth.sum() * np.prod(volume.spacing)) / 1000
    drawn = {"territory": territory, "ml": round(true_ml, 1), "uptake": round(uptake, 3)}
    return volume, truth, drawn | {"slice_mm": round(volume.spacing[0], 2)}


def _dice(one: BoolArray, other: BoolArray) -> float:
    return round(2 * int((one & other).sum()) / max(int(one.sum() + other.sum()), 1), 3)


def _masks(key: str) -> Row:
    """Compare both masks of one head with the truth."""
    volume, truth, row = _scanned(int(key))
    try:
        found, signs = measure_scan(volume)
    except HemocastError as error:
        return row | {"refused": error.code}
    if signs.frames is None or found.brain.tissue is None:
        return row | {"refused": "no frames"}
    tissue = found.brain.tissue
    acute = tissue.at_voxels(tissue.kinds[Kind.ACUTE], volume.hu.shape) > 0.5
    row["seen"] = signs.frames.infarct.seen
    row["mask"] = _dice(infarct_on_scan(found, signs), truth)
    row["map"] = _dice(acute, truth)
    return row


def main() -> None:
    """Measure, and print a line for every size and water uptake."""
    rows = list(rows_of(Path(sys.argv[1]), seeds(sys.argv[2:], 60), _masks))
    done = [row for row in rows if "mask" in row]
    print(f"{len(rows)} heads, {len(rows) - len(done)} refused")
    for low, high in pairwise(UPTAKES):
        for least, most in pairwise(SIZES_ML):
            part = [
                row for row in done if low <= row["uptake"] < high and least <= row["ml"] < most
            ]
            if not part:
                continue
            seen = sum(row["seen"] for row in part)
            said = "; ".join(
                "{} median {:.2f}, quartiles {:.2f} to {:.2f}".format(
                    name, *np.percentile([row[name] for row in part], [50, 25, 75])
                )
                for name in ("mask", "map")
            )
            print(f"uptake {low:.0%} to {high:.0%}, {least} to {most} mL, n {len(part)}: "
                  f"seen {share(seen, len(part))}; Dice of the {said}")  # fmt: skip


if __name__ == "__main__":
    main()
