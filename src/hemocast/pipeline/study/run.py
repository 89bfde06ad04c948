"""A study's folders in; one page, checklists, tables and their LaTeX out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from hemocast.files import claim
from hemocast.pipeline.study.bias import flags_of
from hemocast.pipeline.study.methods import methods_of
from hemocast.pipeline.study.records import Records, Sources, read_records
from hemocast.pipeline.study.results import results_of
from hemocast.pipeline.study.tables import tables_of
from hemocast.report.checklists.checklist import NAMES, Filled, fill, not_applied, read_checklist
from hemocast.report.study.page import Picture, Study, study_files
from hemocast.report.study.word import DOCUMENT, require_word, study_docx

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
    "readers-scatter": "Probabilities of readers and models, scan by scan",
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
        tables=tuple(tables_of(records)),
        pictures=tuple(_pictures(records.pictures)),
        checklists=tuple(checklists),
    )


def _pictures(found: Mapping[str, bytes]) -> Iterator[Picture]:
    names = {name: PurePath(name).name for name in found}
    kinds = Counter(plain.rpartition("-")[0] for plain in names.values())
    for name, plain in names.items():
        caption = next((text for key, text in _CAPTIONS.items() if plain.startswith(key)), plain)
        kind, _, place = plain.rpartition("-")
        many = place.isdigit() and kinds[kind] > 1
        yield Picture(name, found[name], f"{caption} (model {place})" if many else caption)
