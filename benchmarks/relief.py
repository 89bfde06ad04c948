"""Which channel of `TissueInput` tells an infarct from a scanner's shading, without any network.

``python benchmarks/relief.py COHORT``: of ``hemocast simulate --preset wide --format stacks``. In
every scan the mean over the true infarct, less that over its mirror image, is divided by the spread
of the same difference where other scans' infarcts lie, on places that this scan's infarct and its
mirror image leave alone.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hemocast.nets.hemispheres import FINE, TissueInput
from hemocast.train.pretrain.findings import STACKS, FindingsTable
from hemocast.volume import from_levels

CHANNELS = {"mean of the tissue": 1, "relief": 3}
UPTAKES = (0, 0.05, 0.08, 0.12, 0.2, 0.5)
SIZES_ML = (5, 150)
OTHERS = 4


@dataclass(frozen=True)
class Scan:
    """Channels (4, frames, h, w), and the infarct's share of every pixel."""

    channels: np.ndarray
    infarct: np.ndarray

    def apart(self, infarct: np.ndarray, channel: int) -> float:
        """Return how far a channel's mean over a place lies from that over its mirror image."""
        picture, share = self.channels[channel], self.channels[2]
        there, mirrored = infarct * share, infarct[..., ::-1] * share
        means = [(picture * part).sum() / (part.sum() + 1e-3) for part in (there, mirrored)]
        return float(means[0] - means[1])


def scans_of(table: FindingsTable, rows: np.ndarray) -> list[Scan]:
    """Return some scans of a cohort."""
    inputs, stacks, found = TissueInput(FINE, True, 3, 7.5), table.open(STACKS), []
    with torch.inference_mode():
        for row in rows:
            channels = inputs(torch.from_numpy(from_levels(stacks[row]))[None])[0].numpy()
            infarct = torch.from_numpy(table.infarct(row)).float()
            pooled = torch.nn.functional.avg_pool2d(infarct, FINE).numpy()
            found.append(Scan(channels, pooled))
    return found


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    table = FindingsTable.of_cohort(parser.parse_args().cohort)
    low, high = SIZES_ML
    rows = np.flatnonzero((table.volume_ml >= low) & (table.volume_ml < high))
    scans, rng = scans_of(table, rows), np.random.default_rng(0)
    uptake = table.water_uptake[rows]
    for name, channel in CHANNELS.items():
        own = np.array([scan.apart(scan.infarct, channel) for scan in scans])
        chance = []
        for scan in scans:
            taken = (scan.infarct + scan.infarct[..., ::-1]) > 0
            free = [k for k in rng.permutation(len(scans)) if not taken[scans[k].infarct > 0].any()]
            chance += [scan.apart(scans[k].infarct, channel) for k in free[:OTHERS]]
        print(f"{name}: spread by chance {np.std(chance) * 40:.2f} HU, n {len(chance)}")
        for first, last in itertools.pairwise(UPTAKES):
            k = (uptake >= first) & (uptake < last)
            print(f"  uptake {first} to {last}, n {k.sum()}: {own[k].mean() / np.std(chance):.1f}")


if __name__ == "__main__":
    main()
