"""The tables of a reader study: Table 2 as CSV and LaTeX, tests, agreement, times."""

from __future__ import annotations

import math

from hemocast.readers.analysis.analyse import TABLE2, Rater, ReaderAnalysis
from hemocast.readers.analysis.mrmc import ReaderTest
from hemocast.report.evaluation.tables import Row, Table
from hemocast.report.latex import latex_table
from hemocast.report.words import METRIC_TITLES, percent_estimate
from hemocast.stats import Estimate

_TABLE2 = (*TABLE2, "auc", "auc_one_point")


def reader_tables(analysis: ReaderAnalysis, *, simulated: bool) -> dict[str, str]:
    """Return Table 2 as CSV and LaTeX, tests, agreement and times by the names of their files.

    Parameters
    ----------
    analysis : ReaderAnalysis
        What was found.
    simulated : bool
        Say so in the LaTeX table's caption, and in a column of every CSV.
    """
    tables = {
        "table2.csv": _table2(analysis),
        "reader_tests.csv": _tests(analysis),
        "agreement.csv": _agreement(analysis),
    }
    if any(test.quantities for test in analysis.tests):
        tables["reader_components.csv"] = _components(analysis)
    if analysis.times:
        tables["times.csv"] = _times(analysis)
    texts = {name: table.csv(simulated=simulated) for name, table in tables.items()}
    return texts | {"table2.tex": table2_latex(analysis, simulated=simulated)}


def estimates_of(rater: Rater) -> tuple[tuple[str, Estimate], ...]:
    """Columns of Table 2 in their order, the AUC and then the one-point AUC last."""
    return (*rater.metrics, ("auc", rater.auc), ("auc_one_point", rater.auc_one_point))


def _table2(analysis: ReaderAnalysis) -> Table:
    rows: list[Row] = []
    for rater in analysis.raters:
        known = estimates_of(rater)
        notes = dict.fromkeys(f"{name}: {value.warning}" for name, value in known if value.warning)
        rows.append(
            vars(rater)
            | {"rater": rater.name, "n_scans": rater.n, "warning": "; ".join(notes)}
            | {name: value.value for name, value in known}
            | {f"{name}_ci_low": value.ci_low for name, value in known}
            | {f"{name}_ci_high": value.ci_high for name, value in known}
        )
    parts = [f"{name}{end}" for name in _TABLE2 for end in ("", "_ci_low", "_ci_high")]
    head = ("rater", "kind", "arm", "n_patients", "n_scans", "n_positive", *parts, "warning")
    return Table(head, rows)


def table2_latex(analysis: ReaderAnalysis, *, simulated: bool) -> str:
    """Return Table 2 as a LaTeX ``table`` (packages: booktabs); percentages with 95 % limits."""
    columns = ["", *(METRIC_TITLES[name] for name in _TABLE2)]
    arms = len(analysis.arms) > 1
    rows = [
        [
            f"{rater.name}, {rater.arm}" if rater.arm and arms else rater.name,
            *(percent_estimate(value) for _, value in estimates_of(rater)),
        ]
        for rater in analysis.raters
    ]
    # A rule after the model, and after every average.
    rules = [k for k, rater in enumerate(analysis.raters) if rater.kind != "reader"]
    caption = (
        f"Model and readers on {analysis.n} scans of {analysis.n_patients} patients, "
        f"{analysis.n_positive} with hemorrhagic transformation; percent (95 % CI). AUC from "
        "probabilities; one-point AUC from decisions, (sensitivity + specificity)/2: the two do "
        "not compare."
    )
    said = "SIMULATED data, not clinical evidence. " if simulated else ""
    return latex_table(columns, rows, said + caption, rules=rules)


def _tests(analysis: ReaderAnalysis) -> Table:
    rows: list[Row] = []
    for test in analysis.tests:
        for scope, found in (
            ("readers and cases random", test.difference),
            ("readers fixed", test.fixed_readers),
        ):
            means = {"second_mean": test.second_mean}
            rows.append({**vars(found), **_known(test, scope), **means})
        rows += [
            {**_known(test, "one reader"), "n_readers": 1, **vars(one)} for one in test.per_reader
        ]
    return Table(
        ("question", "scope", "first", "second", "metric", "n_readers", "n_patients", "n_scans",
         "first_mean", "second_mean", "difference", "se", "ci_low", "ci_high", "statistic", "df",
         "p", "method", "design", "left_out", "warning"),
        rows,
    )  # fmt: skip


def _known(test: ReaderTest, scope: str) -> Row:
    """What every line of a test says of it."""
    names = (
        "question", "first", "second", "metric", "n_readers", "n_patients", "first_mean", "design",
        "left_out",
    )  # fmt: skip
    return {"scope": scope, "n_scans": test.n, **{name: getattr(test, name) for name in names}}


def _components(analysis: ReaderAnalysis) -> Table:
    """Mean squares, variance components, F with its degrees of freedom: one quantity a line."""
    names = ("question", "first", "second", "metric")
    rows = [
        {name: getattr(test, name) for name in names} | {"quantity": quantity, "value": value}
        for test in analysis.tests
        for quantity, value in test.quantities
    ]
    return Table((*names, "quantity", "value"), rows)


def _agreement(analysis: ReaderAnalysis) -> Table:
    rows: list[Row] = []
    part = analysis.agreement
    for kind, pair in [*(("pair", p) for p in part.pairs), *(("repeat", p) for p in part.repeats)]:
        known = {"kind": kind, "n_scans": pair.n, **vars(pair)}
        for name, value in (
            ("percent_agreement", pair.percent),
            ("cohen_kappa", pair.kappa),
            ("gwet_ac1", pair.ac1),
        ):
            rows.append({**known, **vars(value), "measure": name})
        missing = math.isnan(pair.probability_gap)
        distance = {
            "measure": "mean_probability_distance",
            "value": pair.probability_gap,
            "ci_method": "none",
            "warning": "a probability is missing" if missing else "no interval is computed",
        }
        rows.append({**known, **distance})
    for group in part.groups:
        known = {"kind": "all readers", "n_scans": group.n, **vars(group)}
        known["first"] = f"{group.n_readers} readers"
        for name, value in (
            ("fleiss_kappa", group.fleiss),
            ("gwet_ac1", group.ac1),
            ("icc_2_1_of_probabilities", group.icc),
        ):
            rows.append({**known, **vars(value), "measure": name})
    return Table(
        ("kind", "arm", "first", "second", "n_scans", "measure", "value", "ci_low", "ci_high",
         "ci_method", "warning"),
        rows,
    )  # fmt: skip


def _times(analysis: ReaderAnalysis) -> Table:
    rows = [
        {"reader": t.reader, "arm": t.arm, "n": t.n}
        | {"seconds_median": t.median, "seconds_q1": t.low, "seconds_q3": t.high}
        for t in analysis.times
    ]
    return Table(("reader", "arm", "n", "seconds_median", "seconds_q1", "seconds_q3"), rows)
