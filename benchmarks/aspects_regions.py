"""Agree on each region of ASPECTS with a truth whose regions were bent, on a cohort of stacks.

    python benchmarks/aspects_regions.py COHORT OUT.jsonl [--heads N]

COHORT is of ``hemocast simulate --format stacks``; the first scan of each patient is measured, in
an order drawn once. The regions of the truth are bent by a field of 5 mm SD of each head's own
(`sign_heads.lost_regions`), which what measures never sees. A stack holds no pose: that of the mean
head is taken, so that territories and regions are measured worse than on a scan. Stops and goes on;
``--summary`` prints kappa by region, with intervals over resampled heads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from heads import Row, rows_of, share
from numpy.random import SeedSequence
from scipy import ndimage
from sign_heads import lost_regions
from signs_all import kappa_told

from hemocast.anatomy import Alignment
from hemocast.anatomy.atlas import REGIONS
from hemocast.anatomy.template import CENTRE_MM, VERTEX_MM
from hemocast.config import PrepareConfig
from hemocast.prepare.stack import frames_to_upright
from hemocast.signs.aspects import measure_aspects
from hemocast.signs.infarct import measure_infarct
from hemocast.signs.outline import read_outline
from hemocast.signs.sides import lay_out
from hemocast.simulate import Truth, read_truth
from hemocast.simulate.epidemiology.patients import patient_head
from hemocast.volume import FloatArray, Stack, StackRecord, from_levels

STRETCH = (0.955, 0.945, 0.93)
"""Of the mean head against the template."""


def measured(frames: FloatArray) -> Row:
    """Measure the infarct and the regions in a stack."""
    config = PrepareConfig()
    pose = Alignment(np.eye(4), (0, 0, 0), (0, 0, 0), STRETCH, 0.9)
    padded = np.pad(frames > 0, ((0, 0), (9, 9), (9, 9)))
    brain = ndimage.binary_closing(padded, np.ones((1, 9, 9)))[:, 9:-9, 9:-9]
    affine = frames_to_upright(config, (VERTEX_MM - CENTRE_MM[2]) * STRETCH[2])
    record = StackRecord("", "", (0, 0, 0), (0, 0, 0), 1200, 0, 0, 0.0)
    stack = Stack(frames, brain, affine, record)
    sides = lay_out(stack, pose, config)
    infarct = measure_infarct(sides, outline := read_outline(stack, sides))
    aspects = measure_aspects(sides, outline, infarct)
    regions = () if aspects is None else aspects.regions
    return {
        "seen": infarct.seen,
        "right_side": infarct.side,
        "said": [int(one.affected) for one in regions] or [0] * len(REGIONS),
    }


def head_of(truth: Truth, number: int, levels: np.ndarray) -> Row:
    """Measure a patient's first scan, and say which regions are lost in truth."""
    patient = truth.patients[number]
    drawn = patient_head(truth.config, patient, patient.scans[0]).infarct
    if drawn is None:
        raise ValueError("a patient without an infarct")
    seed = SeedSequence([truth.config.seed, 77, number])
    lost = [int(one) for one in lost_regions(drawn, patient.infarct.side, seed)]
    return measured(from_levels(levels)) | {"lost": lost, "true_side": patient.infarct.side}


def summary(rows: list[Row]) -> None:
    """Print kappa by region, and how often the score is near."""
    lost, said = (np.array([row[name] for row in rows]) for name in ("lost", "said"))
    for at, name in enumerate(REGIONS):
        told = kappa_told(lost[:, at], said[:, at])
        print(f"{name}: lost {lost[:, at].sum()}, said {said[:, at].sum()}, {told}")
    error = lost.sum(axis=1) - said.sum(axis=1)
    hit = lost.any(axis=1)
    print(f"{len(rows)} heads; seen {share(sum(row['seen'] for row in rows), len(rows))}")
    print(f"score within 1: {share(int((abs(error) <= 1).sum()), len(rows))}")
    print(
        f"of those with a lost region: {share(int((abs(error[hit]) <= 1).sum()), int(hit.sum()))}"
    )


def main() -> None:
    """Measure heads that are not in the file yet, and print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=300)
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    truth = read_truth(asked.cohort)
    stacks = np.load(asked.cohort / "stacks" / "stacks.npy", mmap_mode="r")
    first = np.concatenate([[0], np.cumsum([len(one.scans) for one in truth.patients])])
    order = np.random.default_rng(0).permutation(len(truth.patients))[: asked.heads]
    keys = [str(number) for number in order]
    if asked.summary:
        there = len(asked.out.read_text(encoding="utf-8").splitlines())
        keys = keys[:there]
    rows = rows_of(asked.out, keys, lambda key: head_of(truth, int(key), stacks[first[int(key)]]))
    summary(list(rows))


if __name__ == "__main__":
    main()
