"""The dataset's quality page: every scan with its picture, and what was refused and why."""

from __future__ import annotations

from collections import Counter

from hemocast.report.page import render
from hemocast.report.quality.content import Quality, QualityScan
from hemocast.report.quality.counts import (
    alike,
    codes_of,
    flow_of,
    most_of,
    number_of,
    reasons_of,
    refused_of,
    thicknesses,
)

MOST_LISTED = 500
_MOST_FLAGS = 40


def quality_page(quality: Quality) -> str:
    """Return one self-contained page; nothing in it is loaded from a network or another file.

    Parameters
    ----------
    quality : Quality
        What to show; every text is escaped. The same gives the same page.
    """
    scans = quality.scans
    flags = [_flags(scan) for scan in scans]
    counted = Counter(name for names in flags for name in names)
    numbers = {name: i for i, (name, _) in enumerate(counted.most_common(_MOST_FLAGS))}
    n_simulated = sum(scan.simulated for scan in scans)
    reasons = reasons_of(quality)
    n_refused, n_sources = refused_of(quality)
    return render(
        "quality.html",
        style="quality.css",
        script="quality.js",
        q=quality,
        rows=[
            (scan, " ".join(str(numbers[name]) for name in names if name in numbers))
            for scan, names in zip(scans, flags, strict=True)
        ],
        flags=[(number, name, counted[name]) for name, number in numbers.items()],
        n_participants=len({scan.participant_id for scan in scans}),
        n_scanners=len({scan.scanner for scan in scans if scan.scanner}),
        n_simulated=n_simulated,
        number_of=number_of,
        simulated=quality.simulated or n_simulated > 0,
        n_blood=sum(scan.blood for scan in scans),
        scanners=most_of(Counter(scan.scanner or "not stated" for scan in scans)),
        thicknesses=thicknesses(scans),
        corrections=most_of(Counter(alike(w) for s in scans for w in dict.fromkeys(s.corrected))),
        doubts=most_of(Counter(alike(w) for s in scans for w in dict.fromkeys(s.doubts))),
        codes=codes_of(quality.refused),
        listed=quality.refused[:MOST_LISTED],
        reasons=reasons,
        n_refused=n_refused,
        n_sources=n_sources,
        n_left=sum(reason.kept + reason.other for reason in reasons),
        n_files=sum(reason.files for reason in reasons),
        flow=flow_of(quality),
    )


def _flags(scan: QualityScan) -> tuple[str, ...]:
    """Names by which the page filters."""
    named = {
        "blood": scan.blood,
        "simulated": scan.simulated,
        "no picture": not scan.picture.address,
        "nothing noted": not (scan.doubts or scan.blood or scan.simulated),
    }
    words = [f"noted: {alike(text)}" for text in scan.doubts]
    words += [f"corrected: {alike(text)}" for text in scan.corrected]
    return tuple(dict.fromkeys([name for name, holds in named.items() if holds] + words))
