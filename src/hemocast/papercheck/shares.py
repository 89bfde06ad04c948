"""What one printed share says alone: which set sizes allow it, and what its limits tell."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from hemocast.papercheck.matrix import MAX_N
from hemocast.papercheck.numbers import (
    Finding,
    Interval,
    Printed,
    Rounded,
    cases_words,
    numbers_words,
    percent,
    range_words,
)


def possible_n(number: Rounded, most: int) -> list[int]:
    """Set sizes up to `most` of which some whole number of cases prints as the share given."""
    low, high = number.share
    return [n for n in range(1, most + 1) if -(-low * n // 1) <= high * n // 1]


def check_share(printed: Printed) -> Iterator[Finding]:
    """Find a share of all n cases that no whole number of cases gives."""
    if printed.column not in {"accuracy", "share", "prevalence"} or not printed.n:
        return
    low, high = printed.n
    if high > MAX_N:
        return
    sizes = possible_n(printed.number, high + high // 2)
    if any(low <= n <= high for n in sizes):
        return
    most = high + high // 2
    shares = {
        f"{k}/{n} = {percent(Fraction(k, n))} %": None
        for n in printed.n
        for k in [round(printed.number.value * n)]
    }
    needs = f"n = {' or '.join(map(str, sizes))}" if len(sizes) <= 3 else numbers_words(sizes)
    allows = f"up to n = {most} it needs {needs}" if sizes else f"no n up to {most} allows it"
    yield Finding(
        "impossible-share", "error", printed.where,
        f"{printed.column} {printed.number}, {range_words(printed.n)}",
        f"nearest: {'; '.join(shares)}; {allows}",
        f"No whole number out of {cases_words(printed.n)} gives {printed.number}: the row rests on "
        "another number of cases, or this is no plain share (a mean over resamples, say).",
    )  # fmt: skip


def check_interval(printed: Printed) -> Iterator[Finding]:
    """Confidence limits: in another unit, not around the value, on the steps of 1/n."""
    if printed.ci is None:
        return
    low, high = printed.ci
    seen = f"{printed.column} {printed.number} ({low.text} to {high.text})"
    if {low.unit, high.unit} != {printed.number.unit}:
        yield Finding(
            "ci-unit", "warning", printed.where, seen,
            f"the value is a {printed.number.unit}, the limits are {high.unit}",
            "The value and its confidence limits are printed in different units.",
        )  # fmt: skip
    if not Interval(low.interval.low, high.interval.high).meets(printed.number.interval):
        yield Finding(
            "ci-outside", "error", printed.where, seen, "the value lies outside its limits",
            "The value lies outside its own confidence interval.",
        )  # fmt: skip
    if printed.column not in {"accuracy", "share"} or not printed.n or printed.n[1] > MAX_N:
        return
    words = []
    for limit in printed.ci:
        sizes = set(possible_n(limit, printed.n[1])) & set(range(printed.n[0], printed.n[1] + 1))
        hits = [f"{round(limit.value * n)}/{n}" for n in sorted(sizes)]
        words.append(f"{limit} = {numbers_words(hits) if hits else 'no k/n'}")
    yield Finding(
        "ci-steps", "note", printed.where, seen + f", {range_words(printed.n)}", "; ".join(words),
        "Limits of a percentile bootstrap over n cases fall on multiples of 1/n, unless they are "
        "interpolated; a limit that does supports that n.",
    )  # fmt: skip
