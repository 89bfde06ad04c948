"""The tables of a study's page, as its records have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hemocast.evaluate.scenarios import WINDOWS
from hemocast.pipeline.study.records import (
    AS_THEY_ARE,
    RATED,
    EstimateRecord,
    ModelRecord,
    Records,
    Rows,
)
from hemocast.pipeline.study.words import (
    cell_limits,
    cell_number,
    cell_value,
    cell_words,
    limits_words,
    title_of,
)
from hemocast.report.paper.page import PaperTable
from hemocast.report.words import UNOBSERVED_REASONS, number
from hemocast.stats.estimate import FEW

_SCENARIO = ("auc", "sensitivity", "specificity", "observed_expected", "calibration_slope")
_RULE = ("sensitivity", "specificity", "ppv", "npv")
_LIMITED = ", with 95 % CI"


def tables_of(records: Records) -> Iterator[PaperTable]:
    """Give the tables of what was read, in the order of a paper's results."""
    if records.evaluation:
        many = len(records.evaluation.models) > 1
        for place, (name, model) in enumerate(records.evaluation.models.items(), 1):
            yield _performance(name, model, f"performance-{place}" if many else "performance")
    for name, make in _OF_ROWS.items():
        if (rows := records.tables.get(name)) and (table := make(rows)).rows:
            yield table
    for name, title in AS_THEY_ARE.items():
        if rows := records.tables.get(name):
            yield _as_it_is(name.replace("/", "-"), title, rows)


def _performance(name: str, model: ModelRecord, key: str) -> PaperTable:
    rows = tuple(
        (title_of(metric), *_cells(value), _method(value), f"{value.n:,}")
        for metric, value in (*model.metrics.items(), *model.calibrated.items())
    )
    return PaperTable(
        key, f"Performance of {name}", ("Metric", "Value", "95 % CI", "Interval", "Scans"), rows,
        tuple(model.warnings),
    )  # fmt: skip


def _method(value: EstimateRecord) -> str:
    return value.warning if value.ci_method == "none" else value.ci_method


def _cells(value: EstimateRecord) -> tuple[str, str]:
    middle = "undefined" if value.value is None else number(value.value, 3)
    return middle, limits_words(value)


def _p(cell: str) -> str:
    said = cell_number(cell)
    return "< 0.001" if said and float(cell) < 0.001 else said


def _notes(found: Rows) -> tuple[str, ...]:
    """What the rows are warned of, each thing once."""
    return tuple(dict.fromkeys(row["warning"] for row in found if row["warning"]))


def _wide(
    found: Rows, keys: Sequence[str], metrics: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give the cells of `keys`, and beside them those of some metrics, one in a row till now."""
    grouped: dict[tuple[str, ...], dict[str, str]] = {}
    for row in found:
        values = grouped.setdefault(tuple(row[key] for key in keys), {})
        values[row["metric"]] = cell_words(row)
    for known, values in grouped.items():
        if any(metric in values for metric in metrics):
            yield known, tuple(values.get(metric, "") for metric in metrics)


def _left_out(found: Rows) -> PaperTable:
    rows = tuple(
        (row["model"], "prediction" if row["kind"] == "refused" else "outcome",
         UNOBSERVED_REASONS.get(row["reason"], row["reason"]), row["n_scans"], row["n_patients"],
         row["n_positive"] or "not known", cell_number(row["mean_predicted_risk"]) or "none")
        for row in found
    )  # fmt: skip
    return PaperTable(
        "left-out", "Scans that no model could be judged on",
        ("Model", "Missing", "Reason", "Scans", "Patients", "With HT", "Mean predicted risk"), rows,
        ("A refused scan has no prediction: clinicians would have to do without one. An outcome "
         "that was never observed may be of either kind.",),
    )  # fmt: skip


def _scenarios(found: Rows) -> PaperTable:
    rows = tuple(
        (model, scenario, n, *values)
        for (model, scenario, n), values in _wide(
            found, ("model", "scenario", "n_scans"), _SCENARIO
        )
    )
    return PaperTable(
        "scenarios", f"Results under assumptions about the scans left out{_LIMITED}",
        ("Model", "Assumption", "Scans", *map(title_of, _SCENARIO)), rows, _notes(found),
    )  # fmt: skip


def _incidence(found: Rows) -> PaperTable:
    """Read the curve off at the hours of the evaluation's own page."""
    followed = [row for row in found if cell_value(row["n_at_risk"]) >= FEW] or list(found)
    horizon = cell_value(followed[-1]["hours_from_onset"])
    rows = []
    for hour in (*(hour for hour in WINDOWS if hour < horizon), horizon):
        until = [row for row in found if cell_value(row["hours_from_onset"]) <= hour]
        if until:
            row = until[-1]
            ends = {end: row[f"ht_{end}"] for end in ("ci_low", "ci_high")}
            chance = cell_words({"value": row["ht"], **ends})
            rows.append((f"{hour:.0f}", row["n_at_risk"], chance, cell_number(row["death"])))
    return PaperTable(
        "incidence", f"Chance of HT up to each hour after onset, death competing{_LIMITED}",
        ("Hours", "At risk", "HT", "Death without HT"), tuple(rows), _notes(found),
    )  # fmt: skip


def _prevalence(found: Rows) -> PaperTable:
    metrics = ("ppv", "npv")
    rows = tuple(
        (model, f"{100 * cell_value(share):.3g} %", *values)
        for (model, share), values in _wide(found, ("model", "prevalence"), metrics)
    )
    return PaperTable(
        "prevalence", f"Predictive values where HT is as common as this{_LIMITED}",
        ("Model", "With HT", *map(title_of, metrics)), rows, _notes(found),
    )  # fmt: skip


def _thresholds(found: Rows) -> PaperTable:
    keys = ("model", "rule", "threshold", "exploratory")
    rows = tuple(
        (model, f"{rule}, exploratory" if exploratory == "1" else rule, cell_number(at), *values)
        for (model, rule, at, exploratory), values in _wide(found, keys, _RULE)
    )
    return PaperTable(
        "thresholds", f"Other thresholds{_LIMITED}",
        ("Model", "Rule", "Threshold", *map(title_of, _RULE)), rows,
        ("Exploratory: chosen on these same scans, so that the values flatter.", *_notes(found)),
    )  # fmt: skip


def _comparisons(found: Rows) -> PaperTable:
    rows = tuple(
        (row["first"], row["second"], title_of(row["metric"]), row["method"],
         cell_number(row["difference"]), cell_limits(row), _p(row["p"]), _p(row["p_holm"]))
        for row in found
    )  # fmt: skip
    return PaperTable(
        "comparisons", "Differences between models, first minus second",
        ("First", "Second", "Metric", "Method", "Difference", "95 % CI", "P", "P, Holm"), rows,
    )  # fmt: skip


def _subgroups(found: Rows) -> PaperTable:
    rows = tuple(
        (row["model"], row["grouping"], row["level"], row["n_patients"], row["n_positive"],
         cell_number(row["value"]) or "undefined", cell_limits(row))
        for row in found
        if row["metric"] == "auc"
    )  # fmt: skip
    return PaperTable(
        "subgroups", "AUC in subgroups",
        ("Model", "Grouping", "Level", "Patients", "Scans with HT", "AUC", "95 % CI"), rows,
        ("Exploratory unless planned; groups with fewer than 10 patients of a class cannot be "
         "relied on.",),
    )  # fmt: skip


def _interactions(found: Rows) -> PaperTable:
    rows = tuple(
        (row["model"], row["grouping"], title_of(row["metric"]), _p(row["p"]), _p(row["p_holm"]),
         row["reason"] or row["method"])
        for row in found
    )  # fmt: skip
    return PaperTable(
        "interactions", "Do groups differ? Tests of interaction",
        ("Model", "Grouping", "Metric", "P", "P, Holm", "Test"), rows,
    )  # fmt: skip


def _pooled_sites(found: Rows) -> PaperTable:
    rows = tuple(
        (row["model"], title_of(row["metric"]), row["n_sites"], cell_words(row), _another(row),
         _p(row["p"]))
        for row in found
    )  # fmt: skip
    return PaperTable(
        "sites", f"Sites pooled by random effects{_LIMITED}",
        ("Model", "Metric", "Sites", "Mean", "Range for another site", "P that sites are alike"),
        rows, _notes(found),
    )  # fmt: skip


def _another(row: Mapping[str, str]) -> str:
    return cell_limits({end: row[f"prediction_{end[3:]}"] for end in ("ci_low", "ci_high")})


def _readers(found: Rows) -> PaperTable:
    rows = tuple(
        (row["rater"], row["arm"], row["n_scans"], *(_rated(row, metric) for metric in RATED))
        for row in found
    )
    columns = ("Rater", "Arm", "Scans", *map(title_of, RATED))
    return PaperTable("table2", "Readers and models, with 95 % CI", columns, rows)


def _rated(row: Mapping[str, str], metric: str) -> str:
    ends = {end: row[f"{metric}_{end}"] for end in ("ci_low", "ci_high")}
    return cell_words({"value": row[metric], **ends})


def _reader_tests(found: Rows) -> PaperTable:
    rows = tuple(
        (row["first"], row["second"], title_of(row["metric"]), row["scope"],
         cell_number(row["difference"]), cell_limits(row), _p(row["p"]), row["method"])
        for row in found
    )  # fmt: skip
    return PaperTable(
        "reader-tests", "Differences between models and readers, first minus second",
        ("First", "Second", "Metric", "Scope", "Difference", "95 % CI", "P", "Method"), rows,
    )  # fmt: skip


def _agreement(found: Rows) -> PaperTable:
    """Of all readers, and of each with themselves; that of pairs is a figure."""
    rows = tuple(
        (row["first"], row["arm"], title_of(row["measure"]), row["n_scans"], cell_words(row))
        for row in found
        if row["kind"] != "pair"
    )
    return PaperTable(
        "agreement", f"Agreement of all readers, and of readers with themselves{_LIMITED}",
        ("Readers", "Arm", "Measure", "Scans", "Value"), rows,
    )  # fmt: skip


def _times(found: Rows) -> PaperTable:
    seconds = ("seconds_median", "seconds_q1", "seconds_q3")
    rows = tuple(
        (row["reader"], row["arm"], row["n"], *(f"{cell_value(row[key]):.0f}" for key in seconds))
        for row in found
    )
    return PaperTable(
        "times", "Seconds a scan",
        ("Reader", "Arm", "Scans", "Median", "Lower quartile", "Upper quartile"), rows,
    )  # fmt: skip


def _as_it_is(name: str, title: str, rows: Rows) -> PaperTable:
    columns = tuple(column for column in rows[0] if column != "simulated")
    cells = tuple(tuple(row[column] for column in columns) for row in rows)
    return PaperTable(name, title, columns, cells)


_OF_ROWS = {
    "left_out": _left_out,
    "scenarios": _scenarios,
    "cumulative_incidence": _incidence,
    "prevalence": _prevalence,
    "thresholds": _thresholds,
    "comparisons": _comparisons,
    "subgroups": _subgroups,
    "interactions": _interactions,
    "pooled_sites": _pooled_sites,
    "table2": _readers,
    "reader_tests": _reader_tests,
    "agreement": _agreement,
    "times": _times,
}
"""A table of the evaluation -> how the page shows it."""
