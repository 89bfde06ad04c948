"""Where heatmaps lie, by method, beside the same network with random weights pointed towards HT.

    python benchmarks/heatmaps.py COHORT [--model FOLDER] [--split TABLE] [--scans 200] [--seed 0]

COHORT comes from ``hemocast simulate --format stacks`` and was not used in training, but for the
test patients of the split that TABLE holds. Scans with HT are taken in the order of the table,
first scans of their patients. For every method: hit rate of the peak and share of positive evidence
on the lesion (5 mm margin), on its mirror image, by whether the infarct is plain (5 mL and 7 % of
water uptake or more); insertion minus deletion; rank correlation with the map of the same network
with random weights (0 is what a map of what was learned should have), and where that lies; under
noise of 2 % of the window and a left-right flip (1 is steady); of peaks that miss, how far from the
lesion they are, and how many on its side. Intervals are Wilson's for rates, else 1.96 standard
errors over scans.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from timing import print_where

from hemocast.dataset.split.saved import read_split
from hemocast.explain import agreement, deletion_and_insertion, evidence_on, explain, randomised
from hemocast.explain.methods import METHODS
from hemocast.explain.occlusion import occlusion
from hemocast.model import Model, load, load_default, load_network
from hemocast.model.heatmap import activation_map, enlarge
from hemocast.nets import Network, input_channels
from hemocast.stats import wilson
from hemocast.train import StackTable
from hemocast.train.module import Scans
from hemocast.train.pretrain.findings import STACKS, FindingsTable
from hemocast.train.stack_dataset import StackDataset
from hemocast.train.stages import initialise_head
from hemocast.volume import BoolArray, FloatArray, Stack, StackRecord, from_levels

AFFINE = np.array([[-1.0, 0, 0, 96], [0, -1, 0, 96], [0, 0, 5, -60], [0, 0, 0, 1]])
RECORD = StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300.0, 0, 0, 0.0)


@dataclass
class Tally:
    """What one method did on every scan so far."""

    plain: list[bool] = field(default_factory=list)
    hit: list[bool] = field(default_factory=list)
    on: list[float] = field(default_factory=list)
    mirror: list[float] = field(default_factory=list)
    even: list[float] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)
    random: list[float] = field(default_factory=list)
    noise: list[float] = field(default_factory=list)
    flip: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    missed_mm: list[float] = field(default_factory=list)
    missed_side: list[bool] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--split", type=Path, help="of the model: its test patients alone")
    parser.add_argument("--scans", type=int, default=200)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--trust", type=int, default=40, help="scans tried for more than place")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_where()
    torch.set_num_threads(1)
    model = load(options.model, threads=1) if options.model else load_default(threads=1)
    network = load_network(options.model)
    drawn = turned(randomised(network, options.seed), options.cohort)
    tallies: dict[str, Tally] = defaultdict(Tally)
    outside: list[float] = []
    rng = np.random.default_rng(options.seed)
    for at, (stack, lesion, plain) in enumerate(cases(options)):
        for method in options.methods:
            tally = tallies[method]
            begin = time.process_time()
            values = explain(model, stack, method, network)
            tally.seconds.append(time.process_time() - begin)
            place(tally, values, lesion, stack, plain)
            if at < options.trust:
                other = by_chance(drawn, stack, method, model)
                place(tallies[f"{method}, random weights"], other, lesion, stack, plain)
                tally.random.append(agreement(values, other, stack.brain))
                trust(tally, model, network, method, stack, values, rng)
        place(tallies["random weights"], cam(drawn, stack), lesion, stack, plain)
        outside.append(evidence_on(cam(network, stack, whole=True), lesion, stack).outside)
    print(f"{model.description.net.name}; CAM outside the brain, before the cut: {mean(outside)}")
    for name, tally in tallies.items():
        tell(name, tally)


def cases(options: argparse.Namespace) -> Iterator[tuple[Stack, BoolArray, bool]]:
    """Yield stack, lesion and whether it is plain, of scans with HT."""
    table = StackTable.of_folder(options.cohort / "stacks")
    if options.split:
        table = table.of(read_split(options.split).parts["test"])
    known = FindingsTable.of_cohort(options.cohort)
    stacks = known.open(STACKS)
    seen: set[str] = set()
    for patient, label, row in zip(table.participant_id, table.label, table.rows, strict=True):
        if label != 1 or patient in seen or len(seen) >= options.scans:
            continue
        seen.add(patient)
        frames, lesion = from_levels(stacks[row]), known.infarct(row)
        if lesion.any():
            plain = bool(known.volume_ml[row] >= 5 and known.water_uptake[row] >= 0.07)
            yield Stack(frames, filled(frames), AFFINE, RECORD), lesion, plain


def filled(frames: FloatArray) -> BoolArray:
    """Return the brain of a stack rendered straight: what is above 0, and the holes in it."""
    from scipy import ndimage

    return np.stack([ndimage.binary_fill_holes(frame > 0) for frame in frames])


def trust(
    tally: Tally,
    model: Model,
    network: Network,
    method: str,
    stack: Stack,
    values: FloatArray,
    rng: np.random.Generator,
) -> None:
    """Add whether a map shows what the network uses, and whether it is steady."""
    tally.gain.append(deletion_and_insertion(model.logits, stack, values).gain)
    if method == "occlusion":  # a run for every block: too slow to be repeated
        return
    noise = rng.normal(0, 0.02, stack.frames.shape).astype(np.float32)
    noisy = np.where(stack.brain, (stack.frames + noise).clip(0, 1), 0).astype(np.float32)
    again = explain(model, Stack(noisy, stack.brain, AFFINE, RECORD), method, network)
    tally.noise.append(agreement(values, again, stack.brain))
    mirrored = np.ascontiguousarray(stack.frames[..., ::-1])
    flipped = Stack(mirrored, stack.brain[..., ::-1], AFFINE, RECORD)
    back = explain(model, flipped, method, network)[..., ::-1]
    tally.flip.append(agreement(values, back, stack.brain))


def by_chance(drawn: Network, stack: Stack, method: str, model: Model) -> FloatArray:
    """Return the map of a method for the network with random weights."""
    if method == "cam":
        return cam(drawn, stack)
    if method != "occlusion":
        return explain(model, stack, method, drawn)
    with torch.inference_mode():
        return occlusion(lambda frames: drawn(torch.from_numpy(frames))[0].numpy(), stack)


def place(tally: Tally, values: FloatArray, lesion: BoolArray, stack: Stack, plain: bool) -> None:
    """Add where a map lies."""
    found = evidence_on(values, lesion, stack)
    tally.plain.append(plain)
    tally.hit.append(found.peak_hits)
    tally.on.append(found.on_lesion)
    tally.mirror.append(found.on_mirror)
    tally.even.append(found.lesion_share)
    if found.peak_hits or not values.max() > 0:
        return
    peak = np.unravel_index(int(values.argmax()), values.shape)
    away_mm = distance_transform_edt(~lesion, sampling=stack.spacing)
    middle = values.shape[2] // 2
    side = lesion[..., :middle].sum() > lesion[..., middle:].sum()
    tally.missed_mm.append(float(away_mm[peak]))
    tally.missed_side.append(bool(side == (peak[2] < middle)))


def cam(net: Network, stack: Stack, *, whole: bool = False) -> FloatArray:
    """Return the class activation map of a network in torch; whole: not cut to the brain."""
    with torch.inference_mode():
        maps = net(torch.from_numpy(stack.frames)[None])[1][0].numpy()
    weights = net.head.weight.detach().numpy().reshape(-1)
    values = enlarge(activation_map(maps, weights), stack.frames.shape, net.map_grid)
    return values if whole else np.where(stack.brain, values, np.float32(0))


def turned(net: Network, cohort: Path) -> Network:
    """Turn the last layer towards HT by 100 scans of the cohort, as training does at its start."""
    table = StackTable.of_folder(cohort / "stacks")
    some = table.of(table.participants[:80])
    data = StackDataset(some)
    with torch.inference_mode():
        channels = [input_channels(net, data[i][0][None]).numpy() for i in range(len(some))]
    label = torch.tensor(some.label, dtype=torch.float32)
    scans = Scans(np.concatenate(channels), range(len(some)), label, torch.ones_like(label))
    initialise_head(net, scans)
    return net


def mean(values: list[float]) -> str:
    """Write a mean with 1.96 standard errors."""
    if not values:
        return "-"
    spread = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    return (
        f"{np.mean(values):.2f} ({np.mean(values) - spread:.2f} to {np.mean(values) + spread:.2f})"
    )


def rate(hits: NDArray[np.bool_]) -> str:
    """Write a rate with Wilson's interval."""
    if not hits.size:
        return "-"
    low, high = wilson(int(hits.sum()), hits.size)
    return f"{hits.mean():.0%} ({low:.0%} to {high:.0%}) of {hits.size}"


def tell(name: str, tally: Tally) -> None:
    """Print one method's measures."""
    plain, hit = np.array(tally.plain), np.array(tally.hit)
    print(f"\n{name}")
    for words, which in (("all", plain | ~plain), ("plain", plain), ("faint", ~plain)):
        print(f"  peak on the lesion, {words}: {rate(hit[which])}")
    for words, values in (
        ("evidence on the lesion", tally.on), ("on its mirror image", tally.mirror),
        ("the lesion's share of the brain", tally.even), ("insertion minus deletion", tally.gain),
        ("agreement with random weights", tally.random), ("under noise", tally.noise),
        ("under a flip", tally.flip), ("CPU seconds", tally.seconds),
    ):  # fmt: skip
        print(f"  {words}: {mean(values)}")
    if tally.missed_mm:
        print(f"  peaks elsewhere: {np.median(tally.missed_mm):.0f} mm from the lesion (median)")
        print(f"  on its side: {rate(np.array(tally.missed_side))}")


if __name__ == "__main__":
    main()
