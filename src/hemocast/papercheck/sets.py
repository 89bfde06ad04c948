"""What printed counts say: sets that overlap, counts that differ, levels that do not add up."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from hemocast.papercheck.numbers import PARTS, Finding, Interval, Printed, percent

EXCLUSIVE = ("outcome", "sex", "gender")
"""Variables of which every case has one level; of others (treatments, say) it may have several."""

_PASSAGES = re.compile(
    r"abstract|introduction|methods?|results?|text|discussion|conclusions?", re.I
)
"""Parts of a text, which all speak of the whole study; a table may have cases of its own."""


@dataclass(frozen=True)
class SetCounts:
    """One line of counts: the whole and its parts.

    Parameters
    ----------
    table, row, stratum : str
        Where.
    total : int or None
        The whole.
    parts : tuple of (str, int)
        Each part printed, in the order of `PARTS`.
    """

    table: str
    row: str
    stratum: str
    total: int | None
    parts: tuple[tuple[str, int], ...]

    @property
    def variable(self) -> str:
        """Of the stratum: ``sex``."""
        return self.stratum.partition(":")[0]

    @property
    def level(self) -> str:
        """Of the stratum: ``male``."""
        return self.stratum.partition(":")[2].strip()

    @property
    def excess(self) -> int | None:
        """How many more the parts hold than the whole; None where that cannot be said."""
        if self.total is None or not {"train", "test"} <= {name for name, _ in self.parts}:
            return None
        return sum(size for _, size in self.parts) - self.total

    @property
    def sum_words(self) -> str:
        """Say the sum, such as ``437 + 61 - 474 = 24``."""
        return " + ".join(str(size) for _, size in self.parts) + f" - {self.total} = {self.excess}"


def set_counts(printed: Sequence[Printed]) -> tuple[SetCounts, ...]:
    """Gather the counts of sets by line, in the order in which they are printed."""
    lines: dict[tuple[str, str, str], dict[str, Printed]] = defaultdict(dict)
    for p in printed:
        if p.number.unit == "count" and p.column in (*PARTS, "total"):
            lines[p.table, p.row, p.stratum].setdefault(p.column, p)
    return tuple(
        SetCounts(
            *where,
            int(cells["total"].number.value) if "total" in cells else None,
            tuple((part, int(cells[part].number.value)) for part in PARTS if part in cells),
        )
        for where, cells in lines.items()
    )


def check_sets(printed: Sequence[Printed]) -> Iterator[Finding]:
    """All checks of counts."""
    lines = set_counts(printed)
    yield from _check_overlap(lines)
    yield from _check_strata(lines)
    yield from _check_repeats(lines)
    yield from _check_percentages(printed)


def _variables(lines: Sequence[SetCounts]) -> dict[tuple[str, str, str], list[SetCounts]]:
    """Strata by table, row and variable."""
    groups: dict[tuple[str, str, str], list[SetCounts]] = defaultdict(list)
    for line in lines:
        if line.stratum:
            groups[line.table, line.row, line.variable].append(line)
    return groups


def _check_overlap(lines: Sequence[SetCounts]) -> Iterator[Finding]:
    groups = _variables(lines)
    whole = {(line.table, line.row): line for line in lines if not line.stratum}
    for line in whole.values():
        excess = line.excess
        if excess is None or excess == 0:
            continue
        words = [line.sum_words]
        for (table, row, variable), strata in groups.items():
            excesses = [stratum.excess for stratum in strata]
            if (table, row) != (line.table, line.row) or None in excesses:
                continue
            total = sum(e for e in excesses if e is not None)
            sums = ", ".join(f"{s.level} {s.sum_words}" for s in strata)
            words.append(f"{variable}: {sums}; together {total}")
        yield _overlap(line, excess, "; ".join(words))
    for (table, row, variable), strata in groups.items():
        if (table, row) not in whole:
            yield from _check_overlap(
                [replace(s, row=f"{row} ({variable}: {s.level})", stratum="") for s in strata]
            )


def _overlap(line: SetCounts, excess: int, words: str) -> Finding:
    where = f"{line.table}, {line.row}"
    seen = f"total {line.total}, " + ", ".join(f"{name} {size}" for name, size in line.parts)
    if excess < 0:
        return Finding(
            "no-part", "warning", where, seen, words,
            f"{-excess} of {line.total} {line.row} are in no part.",
        )  # fmt: skip
    outside = [name for name, size in line.parts if size == excess]
    if outside:
        return Finding(
            "external-part", "note", where, seen, words,
            f"The whole is the other parts without the {outside[0]} part, which then comes from "
            "elsewhere (external), or lies inside another part.",
        )  # fmt: skip
    test = dict(line.parts)["test"]
    total = line.total or 0
    shares = [f"{percent(Fraction(excess, size), 1)} % of the {name}" for name, size in
              (("test part", test), ("whole", total)) if size]  # fmt: skip
    return Finding(
        "overlap", "error", where, seen, words,
        f"At least {excess} {line.row} are in more than one part ({' and '.join(shares)}): what "
        "is measured on the test part is not measured on unseen cases.",
    )  # fmt: skip


def _check_strata(lines: Sequence[SetCounts]) -> Iterator[Finding]:
    """Levels of a variable that add up to more than the whole, or to less."""
    whole = {(line.table, line.row): line for line in lines if not line.stratum}
    for (table, row, variable), strata in _variables(lines).items():
        line = whole.get((table, row))
        if line is None:
            continue
        columns: list[tuple[str, int | None]] = [("total", line.total), *line.parts]
        for column, size in columns:
            levels = [s.total if column == "total" else dict(s.parts).get(column) for s in strata]
            known = [level for level in levels if level is not None]
            if size is None or len(known) < 2 or len(known) < len(levels) or sum(known) == size:
                continue
            more = sum(known) > size
            wrong = more and variable.lower() in EXCLUSIVE
            yield Finding(
                "strata-sum", "warning" if wrong else "note", f"{table}, {row} ({variable})",
                f"{column} {size}", f"{' + '.join(map(str, known))} = {sum(known)}",
                f"The levels of {variable} add up to {'more' if more else 'less'} than the whole: "
                + ("they overlap, or a count is wrong." if more else "some are not listed."),
            )  # fmt: skip


_ADDED = ", parts added"


def _check_repeats(lines: Sequence[SetCounts]) -> Iterator[Finding]:
    """Counts printed at several places with different values; two of them exchanged."""
    seen: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for line in lines:
        if line.total is not None:
            seen[line.row, line.stratum].append((line.table, line.total))
        if not line.stratum and (line.excess or 0) < 0:
            parts = sum(size for _, size in line.parts)
            seen[line.row, ""].append((line.table + _ADDED, parts))
    differ = {
        k: v
        for k, v in seen.items()
        if len({size for table, size in v if not table.endswith(_ADDED)}) > 1
    }
    swapped: set[tuple[str, str]] = set()
    for first, second in combinations(sorted(differ), 2):
        a, b = dict(differ[first]), dict(differ[second])
        if first[0] == second[0] and len(a) == 2 and a.keys() == b.keys():
            one, two = a
            if (a[one], a[two]) == (b[two], b[one]):
                swapped |= {first, second}
                yield Finding(
                    "counts-swapped", "error", f"{one} and {two}, {first[0]}",
                    "; ".join(f"{t}: {first[1]} {a[t]}, {second[1]} {b[t]}" for t in a),
                    f"{a[one]} and {b[one]} stand the other way round",
                    "The counts of the two classes are exchanged between the two places.",
                )  # fmt: skip
    for (row, stratum), values in differ.items():
        if (row, stratum) in swapped:
            continue
        wrong = len({size for table, size in values if _PASSAGES.fullmatch(table)}) > 1
        yield Finding(
            "counts-differ", "error" if wrong else "note",
            f"{row}{f' ({stratum})' if stratum else ''}",
            "; ".join(f"{table}: {size}" for table, size in values),
            " != ".join(dict.fromkeys(str(size) for _, size in values)),
            "The same count is printed with different values"
            + ("." if wrong else ": for cases of different tables (internal and external, say), or "
               "one is wrong."),
        )  # fmt: skip


def _check_percentages(printed: Sequence[Printed]) -> Iterator[Finding]:
    """Find counts and percentages that do not belong together, table by table."""
    tables: dict[str, list[Printed]] = defaultdict(list)
    for p in printed:
        if p.count is not None and p.n is not None and p.n[0] == p.n[1]:
            tables[p.table].append(p)
    for table, cells in tables.items():
        wrong = [p for p in cells if not _holds(p.number.interval, p)]
        if not wrong:
            continue
        # That numbers were rounded up is believed of a table, not of the only one in it.
        raised = len(cells) > 1 and all(_holds(p.number.raised, p) for p in cells)
        if raised or all(_holds(p.number.cut, p) for p in cells):
            yield Finding(
                "digits-cut", "note", table,
                ", ".join(f"{p.count} of {p.n[0]} = {p.number}" for p in wrong if p.n),
                ", ".join(_true_words(p) for p in wrong),
                "These percentages fit if digits were cut off, or rounded up, instead of rounded.",
            )  # fmt: skip
        else:
            yield from (_not_its_percentage(p) for p in wrong)


def _true_words(p: Printed) -> str:
    return f"{p.count}/{p.n[0] if p.n else 0} = {percent(_share(p), 3)} %"


def _share(p: Printed) -> Fraction:
    return Fraction(p.count or 0, p.n[0] if p.n else 1)


def _holds(interval: Interval, p: Printed) -> bool:
    return interval.low <= _share(p) <= interval.high


def _not_its_percentage(p: Printed) -> Finding:
    of = p.n[0] if p.n else 0
    return Finding(
        "count-percent", "error", p.where, f"{p.count} of {of}, printed {p.number}",
        _true_words(p),
        f"{p.count} of {of} is not {p.number}.",
    )  # fmt: skip
