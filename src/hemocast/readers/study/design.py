"""What a reader study is: who reads which scans, in which order, with and without the model.

Every reader has an own random order, drawn from the study's seed and the reader's name alone, so
that the same ``study.yaml`` gives the same orders on every machine.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from numpy.random import Generator, SeedSequence, default_rng
from pydantic import Field, ValidationError, model_validator

from hemocast.config import Settings
from hemocast.dataset.scan_id import PARTICIPANT, SCAN
from hemocast.errors import ConfigError

Arm = Literal["unaided", "aided"]
NAME = r"[A-Za-z0-9_-]{1,40}"


class Case(Settings):
    """A scan to be read."""

    participant_id: str = Field(pattern=f"^{PARTICIPANT}$")
    scan_id: str = Field(pattern=f"^{SCAN}$")


class ModelAid(Settings):
    """What the aided arm shows, kept in the study so that no later model run can change it."""

    name: str = Field(max_length=100)
    simulated_training_data: bool
    threshold: float | None = Field(None, ge=0, le=1)
    probabilities: dict[str, float] = Field(description="scan_id -> probability of HT")
    heatmaps: bool = Field(description="whether heatmaps of all cases are kept in the study")

    @model_validator(mode="after")
    def _are_probabilities(self) -> ModelAid:
        if not all(0 <= value <= 1 for value in self.probabilities.values()):
            raise ValueError("probabilities must lie from 0 to 1")
        return self


class StudyDesign(Settings):
    """The content of ``study.yaml``. Holds pseudonyms, no labels and no clinical data."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern=f"^{NAME}$")
    simulated: bool = Field(description="the scans show no patients")
    seed: int = Field(0, ge=0)
    horizon_days: int = Field(14, ge=1, le=365, description="HT counts until then after onset")
    readers: tuple[str, ...] = Field(min_length=1, max_length=200)
    cases: tuple[Case, ...] = Field(min_length=1, max_length=20_000)
    repeats: tuple[str, ...] = Field((), description="scan_ids read twice in every arm")
    repeat_gap: int = Field(1, ge=1, description="a repeat comes at least this many cases later")
    model: ModelAid | None = Field(None, description="None: one arm, unaided")
    washout_days: float = Field(28, ge=0, le=3650, description="days between the two arms")

    @model_validator(mode="after")
    def _fits_together(self) -> StudyDesign:
        scans = [case.scan_id for case in self.cases]
        if len(set(scans)) < len(scans) or len(set(self.readers)) < len(self.readers):
            raise ValueError("cases and readers must each be named once")
        if not all(re.fullmatch(NAME, reader) for reader in self.readers):
            raise ValueError("a reader's name is 1 to 40 letters, digits, _ and -")
        if len(set(self.repeats)) < len(self.repeats) or not set(self.repeats) <= set(scans):
            raise ValueError("repeats must be cases of the study, each named once")
        if self.repeats and len(self.repeats) > len(scans) - self.repeat_gap + 1:
            raise ValueError("too many repeats, or too far apart, for so few cases")
        if self.model and set(self.model.probabilities) != set(scans):
            raise ValueError("the model must have a probability for every case and no other")
        return self

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms, not in a reader's order."""
        return ("unaided", "aided") if self.model else ("unaided",)

    def arm_order(self, reader_id: str) -> tuple[Arm, ...]:
        """The arms in a reader's order: half of the readers, by lot, begin with each."""
        if len(self.arms) == 1:
            return self.arms
        rng = default_rng(SeedSequence([self.seed, 1]))
        places = rng.permutation(len(self.readers)) + rng.integers(2)
        swap = bool(places[self.readers.index(reader_id)] % 2)
        return ("aided", "unaided") if swap else ("unaided", "aided")

    def reading_list(self, reader_id: str) -> tuple[PlannedReading, ...]:
        """All that a reader will read, in order: the first arm, then the second."""
        return tuple(
            PlannedReading(reader_id, arm, order, repeat, case.participant_id, case.scan_id)
            for arm in self.arm_order(reader_id)
            for order, (case, repeat) in enumerate(self._sequence(reader_id, arm), start=1)
        )

    def _sequence(self, reader_id: str, arm: Arm) -> list[tuple[Case, int]]:
        digest = hashlib.sha256(f"{reader_id}/{arm}".encode()).digest()
        rng = default_rng(SeedSequence([self.seed, 2, int.from_bytes(digest[:8], "big")]))
        again = set(self.repeats)
        twice = [i for i, case in enumerate(self.cases) if case.scan_id in again]
        once = [i for i, case in enumerate(self.cases) if case.scan_id not in again]
        laid = _spread(once, twice, self.repeat_gap, rng)
        return [(self.cases[i], repeat) for i, repeat in laid]


@dataclass(frozen=True)
class PlannedReading:
    """One scan, to be read once by one reader.

    Parameters
    ----------
    reader_id : str
    arm : str
        ``"unaided"`` or ``"aided"``.
    order : int
        Place in the reader's arm, from 1.
    repeat : int
        0 the first time in this arm, 1 the second.
    participant_id, scan_id : str
        The case.
    """

    reader_id: str
    arm: Arm
    order: int
    repeat: int
    participant_id: str
    scan_id: str

    @property
    def place(self) -> tuple[str, int]:
        """Arm and order: names the reading among those of this reader."""
        return self.arm, self.order


def _spread(once: list[int], twice: list[int], gap: int, rng: Generator) -> list[tuple[int, int]]:
    """Lay cases out at random, the second of a pair at least `gap` places behind the first.

    The first readings of the pairs lie among those places that leave room behind them; then each
    second one is put in anywhere far enough behind. Putting in only lengthens other distances.
    """
    n = len(once) + len(twice)
    places = set(rng.choice(max(1, n - gap + 1), len(twice), replace=False).tolist())
    singles = [once[i] for i in rng.permutation(len(once))]
    pairs = [twice[i] for i in rng.permutation(len(twice))]
    laid = [((pairs if place in places else singles).pop(), 0) for place in range(n)]
    for i in rng.permutation(len(twice)):
        first = laid.index((twice[i], 0))
        laid.insert(int(rng.integers(first + gap, len(laid) + 1)), (twice[i], 1))
    return laid


def choose_repeats(cases: tuple[Case, ...], share: float, seed: int) -> tuple[str, ...]:
    """Draw the cases to be read twice, the same for all readers.

    Parameters
    ----------
    cases : tuple of Case
    share : float
        Of the cases, 0 to 0.5.
    seed : int

    Raises
    ------
    ConfigError
        A number is out of its range.
    """
    if seed < 0 or not 0 <= share <= 0.5:
        raise ConfigError(
            "The share of repeats, or the seed, is out of its range",
            "a share from 0 to 0.5 and a seed from 0",
            "Change --repeats or --seed",
        )
    rng = default_rng(SeedSequence([seed, 3]))
    chosen = rng.choice(len(cases), round(share * len(cases)), replace=False)
    return tuple(cases[i].scan_id for i in np.sort(chosen))


def make_design(**settings: object) -> StudyDesign:
    """Make a design from its settings.

    Raises
    ------
    ConfigError
        They are unknown, out of range or do not fit together. All faults at once.
    """
    try:
        return StudyDesign.model_validate(settings)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'study'}: {fault['msg']}"
            for fault in error.errors()[:20]
        )
        raise ConfigError(
            f"The study's design has {error.error_count()} fault(s): {faults}",
            "settings within their ranges that fit together",
            "Correct what is named",
        ) from error


def load_design(path: Path) -> StudyDesign:
    """Read ``study.yaml``.

    Raises
    ------
    ConfigError
        It cannot be read, lacks its end, or is no study's design.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = dict(yaml.safe_load(text))
        # Every setting is written, so that a file cut short cannot pass for another design.
        if not text.endswith("\n") or StudyDesign.model_fields.keys() - content.keys():
            raise EOFError
    except (OSError, ValueError, TypeError, EOFError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(
            f"The study's design could not be read ({type(error).__name__})",
            "the whole study.yaml that 'hemocast readers create' wrote",
            "Check the study's name and folder, or restore the file",
        ) from error
    return make_design(**{str(key): value for key, value in content.items()})
