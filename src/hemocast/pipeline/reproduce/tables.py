"""Tables 2 and 3 of the paper from an evaluation, each line beside what the paper printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from hemocast.papercheck import PAPER, Printed, read_printed
from hemocast.pipeline.benchmark.table import HEADINGS, lines_of
from hemocast.pipeline.benchmark.table import NOTES as BENCHMARK_NOTES
from hemocast.report.paper.page import PaperTable
from hemocast.report.words import METRIC_TITLES, percent_estimate

if TYPE_CHECKING:
    import pandas as pd

    from hemocast.evaluate.result import ModelPart
    from hemocast.pipeline.benchmark.rows import Row
    from hemocast.readers.analysis.analyse import Rater, ReaderAnalysis

HERE, PRINTED = "here, SIMULATED", "printed by the paper"
METRICS = ("accuracy", "sensitivity", "ppv", "specificity", "f1")
TITLES = tuple(METRIC_TITLES[name] for name in METRICS)
NO_VALUE = "n/a"
TITLE_MACRO = METRIC_TITLES["macro_f1"]
MACRO = (
    "The F1 the paper prints for its comparators, 39.22, is a macro-F1 and stands in that column."
)
ONE_POINT = (
    "AUC of one point is (sensitivity + specificity) / 2, all that decisions alone can give. It "
    "must not be compared with an AUC of probabilities."
)


@cache
def _printed() -> dict[tuple[str, str, str, str], Printed]:
    """Return all numbers the paper prints, by table, row, column and stratum."""
    return {(p.table, p.row, p.column, p.stratum): p for p in read_printed(PAPER)}


def printed(table: str, row: str, column: str, stratum: str = "") -> str:
    """Return what the paper prints, or that we hold no such number."""
    found = _printed().get((table, row, column, stratum))
    if found is None:
        return NO_VALUE
    limits = f" ({found.ci[0].text} to {found.ci[1].text})" if found.ci else ""
    return found.number.text + limits


def table1(frame: pd.DataFrame) -> PaperTable:
    """Table 1: our patients by part, and under them the counts the paper prints.

    Parameters
    ----------
    frame : DataFrame
        `hemocast.dataset.cohort.table1.Table1.table`, by part of the split.
    """
    columns = tuple(str(name) for name in frame.columns)
    rows = [tuple(str(cell) for cell in row) for row in frame.itertuples(index=False)]
    places = {name: columns.index(name) for name in ("Overall", "train", "test")}
    for level, stratum in (("all", ""), ("male", "sex: male"), ("female", "sex: female")):
        cells = ["Printed by the paper, n", level, *[NO_VALUE] * (len(columns) - 2)]
        for name, at in places.items():
            column = "total" if name == "Overall" else name
            cells[at] = printed("Table 1", "patients", column, stratum)
        rows.append(tuple(cells))
    return PaperTable(
        "table1", "Table 1. Patients, by part of the split", columns, tuple(rows),
        ("The paper's parts share 24 patients (437 + 61 - 474); ours share none.",),
    )  # fmt: skip


def table2(readers: ReaderAnalysis) -> PaperTable:
    """Table 2: the model, every reader, and the average reader."""
    columns = ("Rater", "Source", *TITLES, "AUC", "AUC of one point")
    notes = [
        "Percent, with 95 % intervals from resampled patients; AUC by DeLong, from probabilities.",
        ONE_POINT,
        "C1 to C8 are simulated with the sensitivity and specificity that the paper prints of them "
        "(97.7 % where it prints a specificity of 100).",
    ]
    return PaperTable(
        "table2",
        f"Table 2. The model and {len(readers.readers)} simulated readers on {readers.n} scans of "
        f"{readers.n_patients} patients, {readers.n_positive} scans with HT",
        columns,
        tuple(_table2_rows(readers.raters)),
        (*notes, *readers.warnings),
    )


def _table2_rows(raters: Sequence[Rater]) -> Iterator[tuple[str, ...]]:
    for rater in raters:
        yield (
            rater.name,
            HERE,
            *(percent_estimate(rater[name]) for name in METRICS),
            percent_estimate(rater.auc),
            percent_estimate(rater.auc_one_point),
        )
        known = {"model": "CTNet", "average": "Average clinician"}.get(rater.kind, rater.name)
        cells = [printed("Table 2", known, name) for name in (*METRICS, "auc")]
        if set(cells) != {NO_VALUE}:
            yield known, PRINTED, *cells, NO_VALUE


def table3(models: Sequence[ModelPart]) -> PaperTable:
    """Table 3: CTNet beside the rules that look at no scan; the paper's comparators as printed."""
    columns = ("Network", "Source", *TITLES, TITLE_MACRO, METRIC_TITLES["auc"])
    rows = [
        (model.name, HERE, *(percent_estimate(model[name]) for name in METRICS),
         percent_estimate(model["macro_f1"]), percent_estimate(model["auc"]))
        for model in models
    ]  # fmt: skip
    return PaperTable(
        "table3",
        "Table 3. CTNet beside rules that look at no scan",
        columns,
        (*rows, *_printed3()),
        (
            "The other networks are trained and tested by 'hemocast benchmark'; its folder, given "
            "with --benchmark, puts them here. Both that the paper re-created called every scan "
            "positive there, which the rule 'all positive' does too.",
            MACRO,
        ),
    )


def table3_of(rows: Sequence[Row]) -> PaperTable:
    """Table 3 from a benchmark: every network on the same fresh patients, then as printed."""
    columns = (HEADINGS[0], "Source", *HEADINGS[1:])
    places = [columns.index(title) for title in (*TITLES, TITLE_MACRO, METRIC_TITLES["auc"])]
    lines = [(name, HERE, *cells) for name, *cells in lines_of(rows)]
    for name, source, *cells in _printed3():
        line = [name, source, *[NO_VALUE] * (len(columns) - 2)]
        for at, cell in zip(places, cells, strict=True):
            line[at] = cell
        lines.append(tuple(line))
    return PaperTable(
        "table3",
        "Table 3. Every network on the same fresh patients",
        columns,
        tuple(lines),
        (*BENCHMARK_NOTES, MACRO),
    )


def _printed3() -> Iterator[tuple[str, ...]]:
    """Give what the paper prints: name, source, `METRICS`, macro-F1, AUC."""
    for table, name in (("Table 2", "CTNet"), ("Table 3", "Wozniak"), ("Table 3", "Soundari")):
        cells = [printed(table, name, column) for column in METRICS]
        macro = NO_VALUE
        if table == "Table 3":
            # The paper's F1 of its comparators is a macro-F1: docs/how-to/paper-check.md.
            at = METRICS.index("f1")
            macro, cells[at] = cells[at], NO_VALUE
        yield name, PRINTED, *cells, macro, printed(table, name, "auc")
