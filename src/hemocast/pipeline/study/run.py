"""A study's folders in; one page, checklists, tables and their LaTeX out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from hemocast.files import claim
from hemocast.pipeline.study.bias import flags_of
from hemocast.pipeline.study.methods import methods_of
from hemocast.pipeline.study.records import (
    AS_THEY_ARE,
    RATED,
    EstimateRecord,
    ModelRecord,
    Records,
    Rows,
    Sources,
    read_records,
)
from hemocast.pipeline.study.results import results_of
from hemocast.pipeline.study.words import (
    cell_limits,
    cell_number,
    cell_words,
    limits_words,
    title_of,
)
from hemocast.report.checklists.checklist import NAMES, Filled, fill, not_applied, read_checklist
from hemocast.report.paper.page import PaperTable
from hemocast.report.study.page import Picture, Study, study_files
from hemocast.report.study.word import DOCUMENT, require_word, study_docx
from hemocast.report.words import number

KIND = "study"
LIVE = "decide-ai"
"""The checklist of live use, which applies only where there is some."""

_CAPTIONS = {
    "training": "Learning curve: loss and AUC of the inner validation part by epoch",
    "roc": "ROC curves, with the thresholds used",
    "precision-recall": "Precision-recall curves",
    "confusion": "Confusion matrices at the thresholds used",
    "calibration": "Calibration: observed share with HT against predicted probability",
    "decision": "Decision curves: net benefit of acting on the model",
    "subgroups": "AUC in subgroups",
    "incidence": "Chance of HT up to each hour after onset",
    "readers-roc": "ROC of the models, with the readers' decisions as points",
    "readers-curves": "ROC curves of the readers' probabilities",
    "readers-confusion": "Confusion matrices of readers and models",
    "agreement": "Agreement of readers",
    "figure1": "Figure 1 of the reproduction: the method",
    "figure2": "Figure 2 of the reproduction: confusion matrices",
    "figure3": "Figure 3 of the reproduction: heatmaps",
}
"""Beginning of a figure's name -> what it shows."""


def write_study(sources: Sources, out: Path, *, live: bool = False, word: bool = False) -> Study:
    """Tell a study from the records of its commands.

    Parameters
    ----------
    sources : Sources
        Where they are.
    out : Path
        Folder: new, empty, or of an earlier such run.
    live : bool
        The model was used in patients' care, so that DECIDE-AI applies.
    word : bool
        Write ``study.docx`` too.

    Returns
    -------
    Study
        All that was written.

    Raises
    ------
    MissingExtra
        Word is asked for and python-docx is not installed.
    UsageError, NothingThere, TableError, ModelNotFound, ModelCorrupt, DatasetError
        As `read_records` says.
    OutputExists, NotWritable, InUse
        The folder holds something else, or cannot be written to.
    """
    if word:
        require_word()
    study = study_of(read_records(sources), live=live)
    files = study_files(study) | ({DOCUMENT: study_docx(study)} if word else {})
    with claim(out, KIND) as output:
        output.write_all(files)
    return study


def study_of(records: Records, *, live: bool = False) -> Study:
    """Put everything on the page of a study.

    Parameters
    ----------
    records : Records
        What was read.
    live : bool
        As for `write_study`.
    """
    flags = flags_of(records)
    methods, results = methods_of(records), results_of(records, flags)
    said = (*methods, *results)
    checklists: list[Filled] = []
    for key in NAMES:
        checklist = read_checklist(key)
        applies = live or key != LIVE
        checklists.append(fill(checklist, said, flags) if applies else not_applied(checklist))
    return Study(
        simulated=records.simulated,
        methods=methods,
        results=results,
        flags=flags,
        tables=tuple(_tables(records)),
        pictures=tuple(_pictures(records.pictures)),
        checklists=tuple(checklists),
    )


def _tables(records: Records) -> Iterator[PaperTable]:
    if records.evaluation:
        many = len(records.evaluation.models) > 1
        for place, (name, model) in enumerate(records.evaluation.models.items(), 1):
            yield _performance(name, model, f"performance-{place}" if many else "performance")
    yield from _comparisons(records)
    yield from _subgroups(records.tables.get("subgroups", ()))
    yield from _readers(records)
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


def _comparisons(records: Records) -> Iterator[PaperTable]:
    if found := records.tables.get("comparisons"):
        rows = tuple(
            (row["first"], row["second"], title_of(row["metric"]), row["method"],
             cell_number(row["difference"]), cell_limits(row), _p(row["p"]), _p(row["p_holm"]))
            for row in found
        )  # fmt: skip
        yield PaperTable(
            "comparisons", "Differences between models, first minus second",
            ("First", "Second", "Metric", "Method", "Difference", "95 % CI", "P", "P, Holm"), rows,
        )  # fmt: skip


def _subgroups(found: Rows) -> Iterator[PaperTable]:
    rows = tuple(
        (row["model"], row["grouping"], row["level"], row["n_patients"], row["n_positive"],
         cell_number(row["value"]) or "undefined", cell_limits(row))
        for row in found
        if row["metric"] == "auc"
    )  # fmt: skip
    if rows:
        yield PaperTable(
            "subgroups", "AUC in subgroups",
            ("Model", "Grouping", "Level", "Patients", "Scans with HT", "AUC", "95 % CI"), rows,
            ("Exploratory unless planned; groups with fewer than 10 patients of a class cannot be "
             "relied on.",),
        )  # fmt: skip


def _readers(records: Records) -> Iterator[PaperTable]:
    if found := records.tables.get("table2"):
        rows = tuple(
            (row["rater"], row["arm"], row["n_scans"],
             *(_rated(row, metric) for metric in RATED))
            for row in found
        )  # fmt: skip
        columns = ("Rater", "Arm", "Scans", *map(title_of, RATED))
        yield PaperTable("table2", "Readers and models, with 95 % CI", columns, rows)
    if found := records.tables.get("reader_tests"):
        rows = tuple(
            (row["first"], row["second"], title_of(row["metric"]), row["scope"],
             cell_number(row["difference"]), cell_limits(row), _p(row["p"]), row["method"])
            for row in found
        )  # fmt: skip
        yield PaperTable(
            "reader-tests", "Differences between models and readers, first minus second",
            ("First", "Second", "Metric", "Scope", "Difference", "95 % CI", "P", "Method"), rows,
        )  # fmt: skip


def _rated(row: Mapping[str, str], metric: str) -> str:
    ends = {end: row[f"{metric}_{end}"] for end in ("ci_low", "ci_high")}
    return cell_words({"value": row[metric], **ends})


def _as_it_is(name: str, title: str, rows: Rows) -> PaperTable:
    columns = tuple(column for column in rows[0] if column != "simulated")
    cells = tuple(tuple(row[column] for column in columns) for row in rows)
    return PaperTable(name, title, columns, cells)


def _pictures(found: Mapping[str, bytes]) -> Iterator[Picture]:
    names = {name: PurePath(name).name for name in found}
    kinds = Counter(plain.rpartition("-")[0] for plain in names.values())
    for name, plain in names.items():
        caption = next((text for key, text in _CAPTIONS.items() if plain.startswith(key)), plain)
        kind, _, place = plain.rpartition("-")
        many = place.isdigit() and kinds[kind] > 1
        yield Picture(name, found[name], f"{caption} (model {place})" if many else caption)
