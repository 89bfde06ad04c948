"""The tables of a reader study: Table 2 as CSV and LaTeX, tests, agreement, times."""

from __future__ import annotations

from hemocast.readers.analysis.analyse import TABLE2, Rater, ReaderAnalysis
from hemocast.report.evaluation.tables import Row, Table, csv_text
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
    if analysis.times:
        tables["times.csv"] = (
            ("reader", "arm", "n", "seconds_median", "seconds_q1", "seconds_q3"),
            [[t.reader, t.arm, t.n, t.median, t.low, t.high] for t in analysis.times],
        )
    texts = {name: csv_text(*table, simulated=simulated) for name, table in tables.items()}
    return texts | {"table2.tex": table2_latex(analysis, simulated=simulated)}


def estimates_of(rater: Rater) -> tuple[tuple[str, Estimate], ...]:
    """Columns of Table 2 in their order, the AUC and then the one-point AUC last."""
    return (*rater.metrics, ("auc", rater.auc), ("auc_one_point", rater.auc_one_point))


def _table2(analysis: ReaderAnalysis) -> Table:
    parts = [f"{name}{end}" for name in _TABLE2 for end in ("", "_ci_low", "_ci_high")]
    rows: list[Row] = []
    for rater in analysis.raters:
        values = [x for _, e in estimates_of(rater) for x in (e.value, e.ci_low, e.ci_high)]
        notes = dict.fromkeys(
            f"{name}: {e.warning}" for name, e in estimates_of(rater) if e.warning
        )
        rows.append(
            [rater.name, rater.kind, rater.arm, rater.n_patients, rater.n, rater.n_positive,
             *values, "; ".join(notes)]
        )  # fmt: skip
    head = ("rater", "kind", "arm", "n_patients", "n_scans", "n_positive", *parts, "warning")
    return head, rows


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
        known: list[object] = [test.metric, test.n_readers, test.n_patients, test.n]
        for scope, found in (
            ("readers and cases random", test.difference),
            ("readers fixed", test.fixed_readers),
        ):
            rows.append(
                [test.question, scope, test.first, test.second, *known, test.first_mean,
                 test.second_mean, found.difference, found.ci_low, found.ci_high, found.df,
                 found.p, found.warning or ""]
            )  # fmt: skip
        rows += [
            [test.question, "one reader", one.first, one.second, test.metric, 1, test.n_patients,
             test.n, test.first_mean, "", one.difference, one.ci_low, one.ci_high, one.df, one.p,
             one.warning or ""]
            for one in test.per_reader
        ]  # fmt: skip
    head = (
        "question", "scope", "first", "second", "metric", "n_readers", "n_patients", "n_scans",
        "first_mean", "second_mean", "difference", "ci_low", "ci_high", "df", "p", "warning",
    )  # fmt: skip
    return head, rows


def _agreement(analysis: ReaderAnalysis) -> Table:
    rows: list[Row] = []
    part = analysis.agreement
    kinds = [("pair", row) for row in part.pairs] + [("repeat", row) for row in part.repeats]
    for kind, row in kinds:
        for name, value in (
            ("percent_agreement", row.percent),
            ("cohen_kappa", row.kappa),
            ("gwet_ac1", row.ac1),
        ):
            rows.append(
                [kind, row.arm, row.first, row.second, row.n, name, value.value, value.ci_low,
                 value.ci_high, value.ci_method, value.warning or ""]
            )  # fmt: skip
        reason = "" if row.probability_gap == row.probability_gap else "a probability is missing"
        rows.append(
            [kind, row.arm, row.first, row.second, row.n, "mean_probability_distance",
             row.probability_gap, "", "", "none", reason or "no interval is computed"]
        )  # fmt: skip
    for group in part.groups:
        for name, value in (("fleiss_kappa", group.fleiss), ("gwet_ac1", group.ac1)):
            rows.append(
                ["all readers", group.arm, f"{group.n_readers} readers", "", group.n, name,
                 value.value, value.ci_low, value.ci_high, value.ci_method, value.warning or ""]
            )  # fmt: skip
    head = (
        "kind", "arm", "first", "second", "n_scans", "measure", "value", "ci_low", "ci_high",
        "ci_method", "warning",
    )  # fmt: skip
    return head, rows
