"""What stands in the table: anything that gives the fresh scans a probability each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hemocast.classical.measured import MeasuredModel
from hemocast.config import Config
from hemocast.errors import UsageError
from hemocast.nets import try_network
from hemocast.pipeline.benchmark.classical import CLASSICAL, ClassicalEntry
from hemocast.pipeline.benchmark.data import BenchmarkData, FreshPatients, Progress, Scored
from hemocast.pipeline.benchmark.recipes import RECIPES, Recipe
from hemocast.pipeline.network_map import evidence_of_network
from hemocast.stats import Estimate

if TYPE_CHECKING:
    from hemocast.train import Fitted


class Entry(Protocol):
    """A row to be: a model, and a seed where it has one. Further kinds of model join by this."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def seed(self) -> int | None:
        """Of its training; None where nothing is drawn."""

    @property
    def settings(self) -> str:
        """Hash of all that makes the row what it is, but for the two cohorts."""

    def check(self, data: BenchmarkData) -> None:
        """Refuse, before any work, what cannot be."""

    def score(self, data: BenchmarkData, folder: Path, progress: Progress | None) -> Scored:
        """Learn from the one cohort, going on with what lies in `folder`, and score the other."""


@dataclass(frozen=True)
class NetworkEntry:
    """A network, trained from a seed.

    Parameters
    ----------
    name : str
        In the table.
    seed : int
    config : Config
        With that seed.
    """

    name: str
    seed: int
    config: Config

    @property
    def settings(self) -> str:
        """See `Entry`."""
        return self.config.hash()

    def check(self, data: BenchmarkData) -> None:
        """Refuse a network that cannot be built, other shapes than its stacks, or a bad record."""
        frames, size, _ = data.learned.open().shape[1:]
        prepare = self.config.prepare.model_copy(update={"frames": frames, "size": size})
        try_network(self.config.net, prepare)
        if self.config.train.record:
            data.learned.record()
            data.fresh.table.record()

    def score(self, data: BenchmarkData, folder: Path, progress: Progress | None) -> Scored:
        """Train in both stages, calibrate on the inner validation part, score the fresh scans."""
        from hemocast.train import calibration_of, fit, predict_fitted

        resumed = folder.exists() and any(folder.glob("*.ckpt"))
        began = time.process_time()
        moved = None if progress is None else lambda done, total, _: progress(done, total)
        fitted = fit(data.learned, self.config, folder, progress=moved)
        calibration = calibration_of(fitted)
        logits = predict_fitted(fitted, data.fresh.table)
        probability = np.array([calibration.probability(float(one)) for one in logits])
        return Scored(
            probability,
            calibration.threshold,
            cpu_seconds=None if resumed else round(time.process_time() - began, 1),
            parameters=fitted.parameters,
            epochs=fitted.best_epoch,
            maps=_maps(fitted, data.fresh),
        )


def _maps(fitted: Fitted, fresh: FreshPatients) -> dict[str, Estimate]:
    """Measure where the network's heatmaps lie, where it has some and the infarcts are known."""
    if fresh.findings is None or isinstance(fitted.net, MeasuredModel):
        return {}
    return evidence_of_network(fitted.net, fresh.table, fresh.findings)


@dataclass(frozen=True)
class RuleEntry:
    """What looks at no scan, or knows what nobody can: the ends of the scale.

    Parameters
    ----------
    name : str
        In the table; one of `RULES`.
    """

    name: str
    seed: None = None

    @property
    def settings(self) -> str:
        """See `Entry`."""
        return self.name

    def check(self, data: BenchmarkData) -> None:
        """Nothing can be wrong."""

    def score(self, data: BenchmarkData, folder: Path, progress: Progress | None) -> Scored:
        """Give what the rule says."""
        fresh, n = data.fresh, len(data.fresh.table)
        if self.name == ALL_POSITIVE:
            return Scored(np.ones(n), 0.5)
        if self.name == PREVALENCE:
            return Scored(np.full(n, data.prevalence), 0.5)
        risk = fresh.image_risk if self.name == IMAGE_CEILING else fresh.true_risk
        return Scored(risk[fresh.cases.patient], data.prevalence)


ALL_POSITIVE = "all positive"
PREVALENCE = "prevalence alone"
IMAGE_CEILING = "ceiling: true risk given the image"
TRUE_CEILING = "ceiling: true risk"
RULES = (ALL_POSITIVE, PREVALENCE, IMAGE_CEILING, TRUE_CEILING)


def entries_of(
    names: Sequence[str] = (),
    seeds: int | None = None,
    epochs: int | None = None,
    encoder: Path | None = None,
) -> tuple[Entry, ...]:
    """Return the rules, the models from measurements, then the networks, first seeds first.

    Parameters
    ----------
    names : sequence of str
        As in the tables of `CLASSICAL` and `RECIPES`; all by default.
    seeds, epochs : int, optional
        In place of what each recipe says.
    encoder : Path, optional
        Folder of ``hemocast pretrain``, a row more: what it finds is frozen, its last layer fitted.
        Where neither it nor names are given, those that come along.

    Raises
    ------
    UsageError
        There is no such network.
    ModelNotFound, ModelCorrupt
        The folder holds no encoder.
    """
    every: tuple[ClassicalEntry | Recipe, ...] = (*CLASSICAL, *RECIPES)
    known = {one.name: one for one in every}
    if unknown := sorted(set(names) - known.keys()):
        raise UsageError(
            f"There is no model {unknown[0]!r} in the benchmark",
            ", ".join(f"'{name}'" for name in known),
            "Correct --row, or leave it out for all",
        )
    chosen = [known[name] for name in names or known]
    classical = [one for one in chosen if not isinstance(one, Recipe)]
    networks = [one for one in chosen if isinstance(one, Recipe)]
    frozen = map(_frozen, _encoders(encoder, every=not names))
    return (*map(RuleEntry, RULES), *classical, *frozen, *_by_seed(networks, seeds, epochs))


def _encoders(encoder: Path | None, every: bool) -> tuple[Path, ...]:
    """Return the encoder that was named, or, of every row there is, those that come along."""
    if encoder is not None:
        return (encoder,)
    if not every:
        return ()
    from hemocast.train.pretrain.encoder import CTNET, OWN

    return OWN, CTNET


def _frozen(folder: Path) -> NetworkEntry:
    """Name an encoder's row after its folder; its seed was that of the pre-training."""
    from hemocast.train import with_encoder

    config = with_encoder(Config(), folder)
    return NetworkEntry(f"{config.net.name}, encoder {folder.resolve().name}", 0, config)


def _by_seed(
    chosen: Sequence[Recipe], seeds: int | None, epochs: int | None
) -> Iterator[NetworkEntry]:
    wanted = {recipe.name: recipe.seeds if seeds is None else seeds for recipe in chosen}
    for seed in range(max(wanted.values(), default=0)):
        for recipe in chosen:
            if seed < wanted[recipe.name]:
                yield NetworkEntry(recipe.name, seed, recipe.config(seed, epochs))
