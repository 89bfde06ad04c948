"""Figure 3 in numbers: how much of the heatmaps lies on the infarct, beside random weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.classical.measured import MeasuredModel
from hemocast.dicom import read_nifti
from hemocast.explain import Evidence, evidence_on, randomised
from hemocast.pipeline.network_map import mean_share, network_map, peak_hits
from hemocast.pipeline.simulated_truth import SimulatedTruth
from hemocast.pipeline.train import Trained
from hemocast.report.paper.page import PaperTable
from hemocast.stats import Estimate

if TYPE_CHECKING:
    from hemocast.dataset.stacks import ScanFile
    from hemocast.nets import Network

PLAIN_ML, PLAIN_UPTAKE = 5.0, 0.07
"""An infarct is plain from so much on, as in ``docs/lab/heatmaps.md``; ours."""
TURNED_BY = 100
"""Training scans by which the random network's last layer is pointed towards HT."""
COLUMNS = (
    "Heatmaps", "Scans with HT", "n", "Peak on the infarct, %", "Evidence on it, %",
    "On its mirror image, %", "Even map, %",
)  # fmt: skip
NOTES = (
    "SIMULATED. All held-out scans with HT, infarct grown by 5 mm; class activation maps within "
    f"the brain. Plain: {PLAIN_ML:g} mL and {100 * PLAIN_UPTAKE:g} % of water uptake or more. "
    "Limits: Wilson's of the peak, else 1.96 standard errors; scans taken as independent.",
    "Random weights: the same network with all weights drawn anew, its last layer pointed towards "
    "HT as training does at its start. A hit that they make too proves nothing of what was "
    "learned.",
    "Even map: the share of the brain that is infarct, which a map without any idea reaches.",
)


@dataclass(frozen=True)
class Lies:
    """Where the map of one scan lies.

    Parameters
    ----------
    plain : bool
        The infarct is.
    found : Evidence
        How much of the map lies where.
    """

    plain: bool
    found: Evidence


def evidence_table(trained: Trained, truth: SimulatedTruth, seed: int, stacks: Path) -> PaperTable:
    """Measure the model's heatmaps on the held-out scans with HT, and those of random weights.

    Parameters
    ----------
    trained : Trained
        The model, and the held-out scans.
    truth : SimulatedTruth
        Where the infarcts are.
    seed : int
        Of the random weights.
    stacks : Path
        Where the prepared scans are kept.
    """
    drawn = _turned(trained, seed)
    learned: list[Lies] = []
    random: list[Lies] = []
    for scan, label in zip(trained.test, trained.label, strict=True):
        if label != 1:
            continue
        told = trained.model.predict(read_nifti(scan.path), scan_id=scan.scan_id, cache=stacks)
        lesion = truth.lesion(scan, told.stack)
        if not lesion.any():
            continue
        plain = _is_plain(truth, scan)
        learned.append(Lies(plain, evidence_on(told.heatmap, lesion, told.stack)))
        random.append(Lies(plain, evidence_on(network_map(drawn, told.stack), lesion, told.stack)))
    rows = [
        _row(name, words, [one for one in found if chosen(one)])
        for name, found in ((trained.model.description.net.name, learned),
                            ("random weights", random))
        for words, chosen in _GROUPS.items()
    ]  # fmt: skip
    title = "Figure 3, measured: how much of the heatmaps lies on the infarct"
    return PaperTable("figure3", title, COLUMNS, tuple(rows), NOTES)


_GROUPS: dict[str, Callable[[Lies], bool]] = {
    "all": lambda one: True,
    "plain infarct": lambda one: one.plain,
    "faint infarct": lambda one: not one.plain,
}


def _is_plain(truth: SimulatedTruth, scan: ScanFile) -> bool:
    volume, uptake = truth.patient(scan).infarct.volume_ml, truth.planned(scan).uptake_rendered
    return bool(volume >= PLAIN_ML and uptake >= PLAIN_UPTAKE)


def _turned(trained: Trained, seed: int) -> Network:
    """Draw all weights anew, and point the last layer towards HT by training scans."""
    import torch

    from hemocast.nets import input_channels
    from hemocast.train.module import Scans
    from hemocast.train.stack_dataset import StackDataset
    from hemocast.train.stages import initialise_head

    learned = trained.fitted.net
    if isinstance(learned, MeasuredModel):
        raise TypeError("a model from measurements has no weights to draw anew")
    net = randomised(learned, seed)
    data = StackDataset(trained.fitted.train)
    count = min(len(data), TURNED_BY)
    with torch.inference_mode():
        channels = [input_channels(net, data[place][0][None]).numpy() for place in range(count)]
    label = torch.tensor(trained.fitted.train.label[:count], dtype=torch.float32)
    scans = Scans(np.concatenate(channels), range(count), label, torch.ones_like(label))
    initialise_head(net, scans)
    return net


def _row(name: str, words: str, found: Sequence[Lies]) -> tuple[str, ...]:
    told = [one.found for one in found]
    estimates = (
        peak_hits(told),
        mean_share([one.on_lesion for one in told]),
        mean_share([one.on_mirror for one in told]),
        mean_share([one.lesion_share for one in told]),
    )
    return name, words, str(len(told)), *map(_percent, estimates)


def _percent(share: Estimate) -> str:
    if math.isnan(share.value):
        return ""
    middle, low, high = (f"{100 * one:.0f}" for one in (share.value, share.ci_low, share.ci_high))
    return middle if math.isnan(share.ci_low) else f"{middle} ({low} to {high})"
