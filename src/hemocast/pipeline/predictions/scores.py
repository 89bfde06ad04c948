"""Published scores of a scan's patient: the record where there is one, and what was measured."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hemocast.classical.scores import Result, all_scores, apply
from hemocast.classical.scores.patients import KnownPatients, with_signs
from hemocast.classical.scores.rows import COLUMNS, Scored, score_rows
from hemocast.errors import TableError
from hemocast.pipeline.predictions.table import Form, Row

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

SCORE_TABLE = "scores.csv"
SCORES = Form((*COLUMNS, "simulated"), ("score", "scan_id"))


def known_patients(
    tables: Sequence[tuple[str, pd.DataFrame]], *, for_scores_alone: bool
) -> KnownPatients | None:
    """Check what a clinical table says for the scores.

    Parameters
    ----------
    tables : sequence of (str, DataFrame)
        See `KnownPatients.of`.
    for_scores_alone : bool
        The model does not need the table.

    Returns
    -------
    KnownPatients or None
        None where the model can use the table, and the scores cannot: a log says why.

    Raises
    ------
    TableError
        As `KnownPatients.of` does, where the table is for the scores alone.
    """
    try:
        return KnownPatients.of(tables)
    except TableError as error:
        if for_scores_alone:
            raise
        log.warning("No published scores: %s", error)
        return None


def score_scan(known: Mapping[str, object], scan_id: str, signs: Mapping[str, str]) -> Scored:
    """Apply all scores for bleeding.

    Parameters
    ----------
    known : mapping
        Of the patient, from `KnownPatients`.
    scan_id : str
        Of the scan.
    signs : mapping of str to str
        Cells of ``signs.csv``.
    """
    patient = with_signs(known, scan_id, signs)
    results: list[Result] = [
        apply(score, patient.facts)
        for score in all_scores().values()
        if score.predicts == "bleeding"
    ]
    return Scored(patient, tuple(results))


def rows_of_scores(scored: Scored, *, simulated: bool) -> tuple[Row, ...]:
    """Give the rows of ``scores.csv``, as ``hemocast score`` writes them."""
    return tuple(
        {name: "" if cell is None else str(cell) for name, cell in row.items()}
        | {"simulated": str(int(simulated))}
        for row in score_rows([scored])
    )
