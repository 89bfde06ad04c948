"""The tables of a silent trial, as CSV and as they stand on the page."""

from __future__ import annotations

from collections.abc import Iterable

from hemocast.evaluate.monitor.result import Monitored, Performance, Time
from hemocast.files import table_text
from hemocast.report.words import estimate, number
from hemocast.stats import Estimate

LOOKS_FOR = {
    "more": "more hemorrhagic transformation than predicted (all odds doubled)",
    "fewer": "less hemorrhagic transformation than predicted (all odds halved)",
    "less told": "risks that tell patients apart less than they say (log odds halved)",
}
"""What a chart is most sensitive to, in words."""


def day(time: Time | None) -> str:
    """Write a time as its day; "" for none."""
    return "" if time is None else str(time.astype("datetime64[D]"))


def told(value: Estimate | None) -> str:
    """Write an estimate with its limits, or that there is none."""
    return "none: one outcome only" if value is None else estimate(value)


def monitor_tables(found: Monitored) -> dict[str, str]:
    """Return ``traffic.csv``, ``refusals.csv``, ``drift.csv``, and with outcomes two more.

    Parameters
    ----------
    found : Monitored
        What they say.
    """
    said = {"simulated": int(found.simulated)}
    traffic = [
        {"start": day(one.start), "end": day(one.end), "scans": one.n, "done": one.done,
         "refused": one.refused, "failed": one.failed, "waiting": one.waiting, **said}
        for one in found.traffic.periods
    ]  # fmt: skip
    refusals = [{"code": code, "scans": n, **said} for code, n in found.traffic.refusals]
    drift = [
        {"start": day(look.start), "end": day(look.end), "feature": look.feature,
         "n_reference": look.drift.n_reference, "n": look.drift.n,
         "psi": number(look.drift.psi, 4), "psi_usual": number(look.drift.psi_usual, 4),
         "ks": number(look.drift.ks, 4), "p": f"{look.drift.p:.3g}", "p_holm": f"{look.p:.3g}",
         "alarm": int(look.alarm), **said}
        for look in found.looks if look.drift
    ]  # fmt: skip
    tables = {
        "traffic.csv": _csv(traffic, "start end scans done refused failed waiting simulated"),
        "refusals.csv": _csv(refusals, "code scans simulated"),
        "drift.csv": _csv(
            drift,
            "start end feature n_reference n psi psi_usual ks p p_holm alarm simulated",
        ),
    }
    if found.followed is None:
        return tables
    parts = [("all", found.followed.whole), *(("quarter", one) for one in found.followed.periods)]
    parts += [(name, one) for name, several in found.followed.groups for one in several]
    charts = [
        {"chart": one.looks_for, "limit": number(one.chart.limit, 4),
         "outcomes": one.chart.sum.size, "now": number(float(one.chart.sum[-1]), 4),
         "alarm": day(one.alarmed_at), "since": day(one.since), **said}
        for one in found.followed.charts
    ]  # fmt: skip
    return tables | {
        "performance.csv": _csv([_performance(*one) | said for one in parts], _PERFORMANCE),
        "charts.csv": _csv(charts, "chart limit outcomes now alarm since simulated"),
    }


_PERFORMANCE = (
    "by name patients events expected ratio ratio_low ratio_high auc auc_low auc_high simulated"
)


def _performance(by: str, part: Performance) -> dict[str, object]:
    return {
        "by": by, "name": part.name, "patients": part.n, "events": part.n_events,
        "expected": number(part.expected, 2),
        **_estimate("ratio", part.ratio), **_estimate("auc", part.auc),
    }  # fmt: skip


def _estimate(name: str, value: Estimate | None) -> dict[str, str]:
    if value is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), "")
    numbers = (value.value, value.ci_low, value.ci_high)
    keys = (name, f"{name}_low", f"{name}_high")
    return {key: number(one, 4) for key, one in zip(keys, numbers, strict=True)}


def _csv(rows: Iterable[dict[str, object]], columns: str) -> str:
    return table_text(rows, columns.split())
