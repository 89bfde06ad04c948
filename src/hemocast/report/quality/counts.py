"""What the quality page counts: by kind, by reason, and along the way from studies to scans."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from hemocast.errors import meanings
from hemocast.left_out import RefusedStudy
from hemocast.report.quality.content import Quality, QualityScan

_NUMBERS = re.compile(r"\d+(\.\d+)?")
_PLURALS = {"study": "studies", "series": "series"}


def number_of(count: int, noun: str) -> str:
    """Say a count with its noun: "1 study", "2 studies"."""
    return f"{count} {noun if count == 1 else _PLURALS.get(noun, noun + 's')}"


def alike(text: str) -> str:
    """Words without their numbers, so that the same remark on two scans counts as one."""
    return _NUMBERS.sub("…", text)


def most_of(counts: Counter[str], most: int = 14) -> list[tuple[str, int]]:
    """Counts, the most frequent first; beyond `most` kinds the rest as one."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ranked[most:]
    return ranked[:most] + ([(f"{len(rest)} others", sum(n for _, n in rest))] if rest else [])


_THICK_MM = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, float("inf"))


def thicknesses(scans: Iterable[QualityScan]) -> list[tuple[str, int]]:
    """How many scans have which slice thickness (the thickest of each): every bin between."""
    thickest = [max(scan.thickness_mm, default=None) for scan in scans]
    known = [value for value in thickest if value is not None]
    counts = []
    for low, high in pairwise(_THICK_MM):
        name = f"over {low:g} mm" if high == float("inf") else f"{low:g} to {high:g} mm"
        name = f"up to {high:g} mm" if low == 0 else name
        counts.append((name, sum(low < value <= high for value in known)))
    filled = [i for i, (_, n) in enumerate(counts) if n]
    shown = counts[filled[0] : filled[-1] + 1] if filled else []
    unknown = len(thickest) - len(known)
    return shown + ([("not stated", unknown)] if unknown else [])


def refused_of(quality: Quality) -> tuple[int, int]:
    """How many studies were refused, each counted once, and how many sources."""
    studies = [item.study for item in quality.refused if not item.source]
    named = {study for study in studies if study}
    return len(named) + studies.count(""), len(quality.refused) - len(studies)


def codes_of(refused: Iterable[RefusedStudy]) -> list[tuple[str, str, int]]:
    """Code, its meaning, and how often it was the reason."""
    counts = Counter(item.code for item in refused)
    unknown = "A code that this version does not know."
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(code, meanings().get(code, unknown), n) for code, n in ranked]


@dataclass(frozen=True)
class Reason:
    """A reason, and how many series of kept and of other studies, and how many files, had it."""

    words: str
    kept: int
    other: int
    files: int


def reasons_of(quality: Quality) -> list[Reason]:
    """Reasons why series, and files of no study, were left out; the most frequent first."""
    entered = {(scan.participant_id, scan.session) for scan in quality.scans}
    kept, other, files = Counter[str](), Counter[str](), Counter[str]()
    for item in quality.left_out:
        words = alike(item.reason) or "no reason given"
        if item.files:
            files[words] += item.files
        else:
            counts = kept if (item.participant_id, item.session) in entered else other
            counts[words] += 1
    ranked = sorted(kept + other, key=lambda name: (-kept[name] - other[name], name))
    ranked += sorted(set(files) - set(ranked), key=lambda name: (-files[name], name))
    return [Reason(name, kept[name], other[name], files[name]) for name in ranked]


@dataclass(frozen=True)
class Box:
    """A box of the flow diagram: where it stands and what is written in it."""

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...]

    @property
    def middle(self) -> int:
        """Height of the box's middle."""
        return self.y + self.height // 2


@dataclass(frozen=True)
class Flow:
    """The flow diagram: boxes from above downwards, and beside the arrows what was lost there."""

    main: tuple[Box, ...]
    lost: tuple[Box, ...]
    height: int
    words: str


@dataclass(frozen=True)
class _Lost:
    """What was lost after one stage of the flow, by reason."""

    stage: int
    title: str
    counts: list[tuple[str, int]]

    def lines(self) -> tuple[str, ...]:
        """Reasons with their counts, the most frequent first."""
        return tuple(f"{n}  {_short(text)}" for text, n in most_of(Counter(dict(self.counts)), 9))


def _short(text: str, most: int = 76) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


_LINE = 19


def flow_of(quality: Quality) -> Flow:
    """Studies found -> studies with a usable series -> their series -> scans kept."""
    studies = [item for item in quality.refused if not item.source]
    n_kept = len(quality.scans)
    n_refused, n_sources = refused_of(quality)
    often = ", partly for several reasons" if len(studies) > n_refused else ""
    closed = f"; {number_of(n_sources, 'source')} could not be read" if n_sources else ""
    n_people = len({scan.participant_id for scan in quality.scans})
    reasons = [(reason.words, reason.kept) for reason in reasons_of(quality) if reason.kept]
    n_left = sum(n for _, n in reasons)
    n_blood = sum(scan.blood for scan in quality.scans)
    codes = [(f"{code}  {meaning.rstrip('.')}", n) for code, meaning, n in codes_of(studies)]
    stages = (
        (f"{number_of(n_kept + n_refused, 'study')} found", f"entered or refused{closed}"),
        (f"{number_of(n_kept, 'study')} entered", "each with one plain axial head series"),
        (f"{number_of(n_kept + n_left, 'series')} in them", "every stack counted by itself"),
        (
            f"{number_of(n_kept, 'scan')} kept",
            f"of {number_of(n_people, 'participant')}; blood seen in {n_blood}",
        ),
    )
    losses = (
        _Lost(0, f"{number_of(n_refused, 'study')} refused{often}", codes),
        _Lost(2, f"{number_of(n_left, 'series')} left out", reasons),
    )
    lost_after = {loss.stage: loss for loss in losses}
    main, lost, y = [], [], 8
    for stage, (title, line) in enumerate(stages):
        main.append(Box(8, y, 340, 52, title, (line,)))
        y += 52 + 30
        if loss := lost_after.get(stage):
            lines = loss.lines()
            box = Box(410, y - 12, 582, 30 + _LINE * len(lines) + 4, loss.title, lines)
            lost.append(box)
            y += box.height + 8
    words = "; ".join([title for title, _ in stages] + [loss.title for loss in losses])
    return Flow(tuple(main), tuple(lost), y - 22, f"Flow of studies, series and scans: {words}")
