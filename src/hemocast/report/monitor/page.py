"""A silent trial on one page: what a person is to look at first, then everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hemocast.evaluate.monitor.result import Monitored
from hemocast.report.figures.drawing import Drawing
from hemocast.report.figures.monitor import (
    charts_figure,
    drift_figure,
    performance_figure,
    traffic_figure,
)
from hemocast.report.monitor.tables import LOOKS_FOR, day, told
from hemocast.report.page import render

PAGE = "report.html"
_SHORT = {"more": "more HT", "fewer": "less HT", "less told": "risks tell less"}
ENOUGH = 100
"""Patients that a recalibration needs, as ``hemocast recalibrate`` says."""


def monitor_page(found: Monitored, drawings: Iterable[Drawing]) -> str:
    """Return the page.

    Parameters
    ----------
    found : Monitored
        What it shows; every text is escaped.
    drawings : iterable of Drawing
        As `draw_monitor` gives them.
    """
    return render(
        "monitor.html",
        style="evaluation.css",
        m=found,
        alarms=tuple(alarms_of(found)),
        drawings={one.name: one for one in drawings},
        looks_for=LOOKS_FOR,
        day=day,
        told=told,
        recalibrate=_suggestion(found),
    )


def draw_monitor(found: Monitored) -> Iterator[Drawing]:
    """Draw the figures.

    Parameters
    ----------
    found : Monitored
        What they show.
    """
    said = found.simulated
    yield Drawing(
        "traffic",
        traffic_figure(found.traffic.periods, simulated=said),
        f"Scans that arrived in every {found.options.weeks} weeks, by what became of them. The "
        "last bar may not be whole yet.",
    )
    if found.looks:
        yield Drawing(
            "drift",
            drift_figure(found.looks, simulated=said),
            "Stability index of every feature against the reference, by what chance keeps it below "
            "in 19 of 20 looks. Cross: alarm, by a test. Dot: too few values.",
        )
    if followed := found.followed:
        yield Drawing(
            "performance",
            performance_figure(followed.periods, simulated=said),
            "By the quarter in which the outcome was known, with 95 % limits. Dashed: as predicted "
            "(left), no better than chance (right).",
        )
        names = [_SHORT[chart.looks_for] for chart in followed.charts]
        yield Drawing(
            "charts",
            charts_figure(followed.charts, names, simulated=said),
            "Cumulative sums of evidence that outcomes have left what was predicted. A sum that "
            "reaches its limit (dashed) is an alarm.",
        )


def alarms_of(found: Monitored) -> Iterator[str]:
    """Say what gave an alarm, outcomes first."""
    for chart in found.followed.alarms if found.followed else ():
        yield (
            f"{LOOKS_FOR[chart.looks_for]}: noticed on {day(chart.alarmed_at)}, most likely since "
            f"{day(chart.since)}"
        )
    features = dict.fromkeys(look.feature for look in found.drifted)
    for feature in features:
        looks = [look for look in found.drifted if look.feature == feature]
        times = f"{len(looks)} of {sum(one.feature == feature for one in found.looks)} looks"
        yield f"{feature} is not as in the reference: first from {day(looks[0].start)}, {times}"


def _suggestion(found: Monitored) -> str:
    """Say whether to recalibrate; nothing here does it."""
    followed = found.followed
    if followed is None or not followed.alarms:
        return ""
    since = min(chart.since for chart in followed.alarms if chart.since is not None)
    times = followed.charts[0].times
    later = int((times >= since).sum())
    if later < ENOUGH:
        return (
            f"Consider to recalibrate once {ENOUGH} outcomes since {day(since)} are known; now "
            f"there are {later}."
        )
    return (
        f"Consider to recalibrate on the {later} patients since {day(since)} with 'hemocast "
        "recalibrate', after asking why: new scanners, other treatment, other patients, or "
        "outcomes that are looked for in another way."
    )
