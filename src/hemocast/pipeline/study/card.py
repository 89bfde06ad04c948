"""The card of a model and the sheet of a dataset, from what they and their runs recorded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hemocast.errors import HemocastError, UsageError
from hemocast.files import Output
from hemocast.model.schema import DESCRIPTION
from hemocast.pipeline.study.bias import flags_of
from hemocast.pipeline.study.methods import methods_of
from hemocast.pipeline.study.records import Records, Sources, read_records
from hemocast.pipeline.study.results import results_of
from hemocast.report.checklists.checklist import Filled, Statement, fill, read_checklist
from hemocast.report.checklists.form import DATASHEET, MODEL_CARD, form_markdown

log = logging.getLogger(__name__)

FILES = {MODEL_CARD: "model_card.md", DATASHEET: "datasheet.md"}
"""Form -> what it is written to."""


def sources_of(path: Path, others: Sources) -> tuple[str, Sources]:
    """Tell a model's folder from a dataset's.

    Parameters
    ----------
    path : Path
        Either.
    others : Sources
        What else tells of it.

    Returns
    -------
    str
        The form: `MODEL_CARD` or `DATASHEET`.
    Sources
        All of them.

    Raises
    ------
    UsageError
        Records of an evaluation or of a dataset are named beside a dataset.
    """
    if (path / DESCRIPTION).is_file():
        return MODEL_CARD, replace(others, model=path)
    if others.evaluation or others.dataset or others.predictions:
        raise UsageError(
            "The folder holds no model, to which an evaluation and a dataset could belong",
            "a model's folder, or a dataset alone",
            "Check the path, or leave --evaluation, --dataset and --predictions out",
        )
    return DATASHEET, replace(others, dataset=path)


def card_text(form: str, records: Records, more: Sequence[Statement] = ()) -> tuple[str, Filled]:
    """Fill a form.

    Parameters
    ----------
    form : str
        `MODEL_CARD` or `DATASHEET`.
    records : Records
        What was read.
    more : sequence of Statement
        What else is known; before what the records say under the same key.

    Returns
    -------
    str
        Markdown.
    Filled
        The same, as values.
    """
    flags = flags_of(records)
    said = (*methods_of(records), *results_of(records, flags), *more)
    filled = fill(read_checklist(form), said, flags)
    title = (
        f"{records.model.name} {records.model.version}"
        if records.model
        else records.dataset.name
        if records.dataset
        else ""
    )
    return form_markdown(filled, title, simulated=records.simulated), filled


def read_card(path: Path, others: Sources) -> tuple[str, str, Filled]:
    """Read a model's or a dataset's records and fill its form.

    Parameters
    ----------
    path, others
        As for `sources_of`.

    Returns
    -------
    str
        The name of its file.
    str
        Markdown.
    Filled
        The same, as values.

    Raises
    ------
    UsageError, NothingThere, TableError, ModelNotFound, ModelCorrupt, DatasetError
        As `sources_of` and `read_records` say.
    """
    form, sources = sources_of(path, others)
    text, filled = card_text(form, read_records(sources))
    return FILES[form], text, filled


def write_card(output: Output, form: str, sources: Sources, more: Sequence[Statement] = ()) -> None:
    """Write a form beside what a command made.

    Records that cannot be read cost the form alone, and one that its authors wrote on stays.

    Parameters
    ----------
    output : Output
        The command's folder.
    form, more
        As for `card_text`.
    sources : Sources
        The records.
    """
    try:
        output.write_text(FILES[form], card_text(form, read_records(sources), more)[0])
    except HemocastError as error:
        log.warning("%s was not written: %s", FILES[form], error)
