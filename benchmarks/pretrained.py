"""What a pre-trained encoder is worth: soft share by number of labels, and what it sees.

``python benchmarks/pretrained.py ENCODER COHORT [FRESH ...]``: the first from ``hemocast
pretrain``, the others from ``hemocast simulate --format stacks``. The last layer is fitted on
COHORT; soft share is measured on the first scans of each FRESH, and out of fold on those of COHORT;
so is the mean risk of each FRESH once the intercept is moved on some of its labels, others left;
outline and volume on COHORT, whose infarcts are known. What sight costs: what is said of infarcts
is replaced by the truth where they are so dark, or are not, both in COHORT and in FRESH. A network
with the same shape and random weights is the control.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import expit

from hemocast.config import Config
from hemocast.dataset.split.schemes import split_folds
from hemocast.nets import build
from hemocast.nets.hemispheres import (
    BARE,
    FINDINGS,
    OF_LESION,
    Hemispheres,
    split_sides,
)
from hemocast.pipeline.benchmark.data import FreshPatients
from hemocast.stats.discrimination.expected import KnownRisks
from hemocast.train import StackTable, with_encoder
from hemocast.train.pretrain.encoder import Encoder, encoder_of
from hemocast.train.pretrain.findings import (
    STACKS,
    VOLUME_MIDDLE,
    VOLUME_SPREAD,
    FindingsTable,
)
from hemocast.train.pretrain.head import Line, encoder_network, findings_of
from hemocast.volume import from_levels

LABELS, DRAWS, RESAMPLES = (50, 100, 200), 30, 300
LOCAL, LOCAL_DRAWS = 100, 500
SIZES = ((0, 5), (5, 20), (20, 70), (70, 400))
DARK = (0.0, 0.04, 0.06, 0.08, 0.12)


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


@dataclass(frozen=True)
class Seen:
    """What a network finds on the scans of a cohort, the truth, and the risk given each image."""

    table: StackTable
    findings: np.ndarray
    risk: np.ndarray
    first: np.ndarray
    truth: FindingsTable | None

    @classmethod
    def of(cls, encoder: Encoder, folder: Path) -> Seen:
        """Look at a cohort."""
        cohort = FreshPatients.of(folder)
        table = cohort.table
        number = np.searchsorted(table.participants, table.participant_id)
        first = np.unique(np.array(table.participant_id), return_index=True)[1]
        found, risk = findings_of(encoder, table), cohort.image_risk[number]
        return cls(table, found, risk, np.sort(first), cohort.findings)

    def told(self, name: str, logit: np.ndarray) -> None:
        """Print the share of a logit on the first scans."""
        told(name, logit[self.first], self.risk[self.first])


def line_of(seen: Seen, among: np.ndarray) -> Line:
    """Fit the last layer on some scans of a cohort."""
    weight = seen.table.patient_weights().astype(float)
    return Line.fitted(seen.findings[among], np.array(seen.table.label)[among], weight[among])


def moved(name: str, seen: Seen, logit: np.ndarray) -> None:
    """Print how far the mean risk lies off after the intercept was fitted to `LOCAL` labels."""
    logit, risk = logit[seen.first], seen.risk[seen.first]
    label = np.array(seen.table.label)[seen.first]
    rng, off = np.random.default_rng(0), np.empty(LOCAL_DRAWS)
    for draw in range(LOCAL_DRAWS):
        local, others = np.split(rng.permutation(len(logit)), [LOCAL])
        z, events = logit[local], max(label[local].sum(), 0.5)
        by = brentq(lambda c, z=z, events=events: expit(z + c).sum() - events, -30, 30)
        off[draw] = expit(logit[others] + by).mean() - risk[others].mean()
    print(
        f"{name}: mean risk {expit(logit).mean():.3f}, true {risk.mean():.3f}; moved on {LOCAL} "
        f"labels off by {off.mean():+.3f}, SD {off.std():.3f}, within .05 in "
        f"{100 * np.mean(np.abs(off) < 0.05):.0f} % of draws"
    )


def shares(name: str, learned: Seen, fresh: dict[str, Seen]) -> None:
    """Print the shares of a network by the number of labels."""
    people = np.array(learned.table.participant_id)
    logit = np.empty(len(people))
    for fold in split_folds(learned.table.patient_labels(), 5, 0):
        held = np.isin(people, list(fold.parts["test"]))
        logit[held] = line_of(learned, ~held).logit(learned.findings[held])
    learned.told(f"{name}, out of fold", logit)
    everybody = np.ones(len(people), bool)
    for where, seen in fresh.items():
        line = line_of(learned, everybody)
        seen.told(f"{name}, all labels, {where}", line.logit(seen.findings))
        if len(seen.first) > LOCAL:
            moved(f"{name}, {where}", seen, line.logit(seen.findings))
        rng = np.random.default_rng(0)
        for count in LABELS:
            got = []
            for _ in range(DRAWS):
                drawn = rng.choice(learned.table.participants, count, replace=False)
                score = line_of(learned, np.isin(people, drawn)).logit(seen.findings)
                got.append(float(share(score[seen.first], seen.risk[seen.first])[0]))
            print(f"{name}, {count} labels, {where}: {np.mean(got):.1f} %, SD {np.std(got):.1f}")


def limits(learned: Seen, where: str, seen: Seen) -> None:
    """Print the share that perfect sight of some infarcts would bring."""
    everybody = np.ones(len(learned.findings), bool)
    for least in DARK:
        for word, sign in (("over", 1), ("under", -1)):
            fitted = line_of(_known(learned, least, sign), everybody)
            one = _known(seen, least, sign)
            one.told(f"known if {word} {least:.0%}, {where}", fitted.logit(one.findings))


def _known(seen: Seen, least: float, sign: int) -> Seen:
    """Return findings that are true of infarcts whose uptake is over, or under, so much."""
    assert seen.truth is not None  # noqa: S101 - pre-training's cohorts have it
    true = seen.truth.target - np.array([BARE.get(name, 0) for name in FINDINGS])
    among = sign * (seen.truth.water_uptake - least) >= 0
    told = among[:, None] & np.isin(FINDINGS, OF_LESION)
    return replace(seen, findings=np.where(told, true, seen.findings))


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
    known = np.log(table.volume_ml)
    print(f"log volume said and true: r {np.corrcoef(volume, known)[0, 1]:.2f}")
    for dark, among in (
        ("under 7 %", table.water_uptake < 0.07),
        ("over", table.water_uptake >= 0.07),
    ):
        for low, high in SIZES:
            k = among & (table.volume_ml >= low) & (table.volume_ml < high)
            if k.any():
                off = volume[k] - known[k]
                print(
                    f"uptake {dark}, {low}-{high} mL, n {k.sum()}: Dice {np.nanmean(dice[k]):.2f}, "
                    f"volume off by a factor of {np.exp(np.median(np.abs(off))):.1f} (median), "
                    f"said / true {np.exp(np.median(off)):.2f}"
                )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("encoder", "cohort"):
        parser.add_argument(name, type=Path)
    parser.add_argument("fresh", type=Path, nargs="*")
    asked = parser.parse_args()
    config = with_encoder(Config(), asked.encoder)
    encoder = encoder_network(config)
    if isinstance(encoder.net, Hemispheres):
        sight(encoder.net, asked.cohort)
    torch.manual_seed(100)
    random = encoder_of(build(config.net))
    random.module.eval()
    for name, one in (("pre-trained", encoder), ("random weights", random)):
        learned = Seen.of(one, asked.cohort)
        fresh = {folder.name: Seen.of(one, folder) for folder in asked.fresh}
        shares(name, learned, fresh)
        if one is encoder and isinstance(encoder.net, Hemispheres):
            for where, seen in fresh.items():
                limits(learned, where, seen)


if __name__ == "__main__":
    main()
