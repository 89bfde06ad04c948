"""What a pre-trained encoder is worth: soft share by number of labels, and what it sees.

``python benchmarks/pretrained.py ENCODER COHORT FRESH``: the first from ``hemocast pretrain``, the
others from ``hemocast simulate --format stacks``. The last layer is fitted on COHORT; soft share
is measured on the first scans of FRESH, outline and volume on COHORT, whose infarcts are known. A
network with the same shape and random weights is the control.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from hemocast.config import Config
from hemocast.nets import build
from hemocast.nets.hemispheres import FINDINGS, Hemispheres, split_sides
from hemocast.pipeline.benchmark.data import FreshPatients
from hemocast.stats.discrimination.expected import KnownRisks
from hemocast.train import StackTable, with_encoder
from hemocast.train.pretrain.findings import (
    STACKS,
    VOLUME_MIDDLE,
    VOLUME_SPREAD,
    FindingsTable,
)
from hemocast.train.pretrain.head import Line, encoder_network, findings_of
from hemocast.volume import from_levels

LABELS, DRAWS, RESAMPLES = (50, 100, 200), 30, 300
SIZES = ((0, 5), (5, 20), (20, 70), (70, 400))


def share(score: np.ndarray, risk: np.ndarray, times: np.ndarray | None = None) -> np.ndarray:
    """Return how far the soft AUC goes from .5 to that of the risk itself, percent."""
    known = KnownRisks(risk, np.arange(len(risk)))
    return 100 * (known.auc(score, times) - 0.5) / (known.auc(risk, times) - 0.5)


def told(name: str, score: np.ndarray, risk: np.ndarray) -> None:
    """Print a share with its interval over resampled fresh patients."""
    n = len(risk)
    times = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    low, high = np.percentile(share(score, risk, times), [2.5, 97.5])
    print(f"{name:34} {share(score, risk)[0]:5.1f} % ({low:.0f} to {high:.0f})", flush=True)


def shares(name: str, net: Hemispheres, cohort: StackTable, fresh: FreshPatients) -> None:
    """Print the shares of a network by the number of labels."""
    first = first_scans(fresh.table)
    learned, seen = findings_of(net, cohort), findings_of(net, first)
    risk = fresh.image_risk[np.searchsorted(fresh.table.participants, first.participant_id)]
    label, weight = np.array(cohort.label), cohort.patient_weights().astype(float)
    told(f"{name}, all labels", Line.fitted(learned, label, weight).logit(seen), risk)
    people, rng = np.array(cohort.participant_id), np.random.default_rng(0)
    for count in LABELS:
        got = []
        for _ in range(DRAWS):
            k = np.isin(people, rng.choice(cohort.participants, count, replace=False))
            line = Line.fitted(learned[k], label[k], weight[k])
            got.append(float(share(line.logit(seen), risk)[0]))
        print(f"{name}, {count} labels: {np.mean(got):.1f} %, SD of draws {np.std(got):.1f}")


def first_scans(table: StackTable) -> StackTable:
    """Return every patient's first scan."""
    _, rows = np.unique(np.array(table.participant_id), return_index=True)
    columns = (table.participant_id, table.scan_id, table.label, table.rows)
    return StackTable(table.array, *(tuple(column[i] for i in sorted(rows)) for column in columns))


def sight(net: Hemispheres, folder: Path) -> None:
    """Print Dice and the error of the volume, by size and by how dark the infarct is."""
    table = FindingsTable.of_cohort(folder)
    stacks, pool = table.open(STACKS), net.inputs.pool
    dice, volume = np.empty(len(table)), np.empty(len(table))
    with torch.inference_mode():
        for i in range(len(table)):
            readings = net.readings(net.inputs(torch.from_numpy(from_levels(stacks[i]))[None]))
            there = torch.stack([torch.sigmoid(one.outline) for one in readings]).mean(0) > 0.5
            infarct = torch.from_numpy(table.infarct(i)).float()[None]
            true = split_sides(torch.nn.functional.avg_pool2d(infarct, pool)) > 0.5
            both, total = (there & true).sum(), there.sum() + true.sum()
            dice[i] = float(2 * both / total) if total else float("nan")
            raw = torch.stack([one.findings for one in readings]).mean(0)
            volume[i] = float(raw[0, FINDINGS.index("volume")]) * VOLUME_SPREAD + VOLUME_MIDDLE
    for dark, among in (
        ("under 7 %", table.water_uptake < 0.07),
        ("over", table.water_uptake >= 0.07),
    ):
        for low, high in SIZES:
            k = among & (table.volume_ml >= low) & (table.volume_ml < high)
            if k.any():
                off = volume[k] - np.log(table.volume_ml[k])
                print(
                    f"uptake {dark}, {low}-{high} mL, n {k.sum()}: Dice {np.nanmean(dice[k]):.2f}, "
                    f"volume off by a factor of {np.exp(np.median(np.abs(off))):.1f} (median), "
                    f"said / true {np.exp(np.median(off)):.2f}"
                )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("encoder", "cohort", "fresh"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    config = with_encoder(Config(), asked.encoder)
    cohort, fresh = StackTable.of_folder(asked.cohort / "stacks"), FreshPatients.of(asked.fresh)
    net = encoder_network(config)
    shares("pre-trained", net, cohort, fresh)
    sight(net, asked.cohort)
    torch.manual_seed(100)
    shares("random weights", build(config.net).eval(), cohort, fresh)


if __name__ == "__main__":
    main()
