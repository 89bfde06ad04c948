"""Clinical tables in; points, ranges and published risks of every score out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.classical.scores import Score, all_scores, apply, read_patients
from hemocast.classical.scores.patients import Patients
from hemocast.classical.scores.rows import (
    AS_PREDICTIONS,
    COLUMNS,
    Scored,
    points_as_predictions,
    risks_as_predictions,
    score_json,
    score_rows,
)
from hemocast.dataset.cohort.outcomes import read_outcomes
from hemocast.errors import TableError, UsageError
from hemocast.files import claim, json_text, table_text

if TYPE_CHECKING:
    import pandas as pd

KIND = "clinical scores"
_SIMULATED = "simulated"


@dataclass(frozen=True)
class ScoreTables:
    """What is read.

    Parameters
    ----------
    clinical : Path
        One row per patient; see `read_patients`.
    signs : Path, optional
        What was measured on the scans.
    labels, nihss : Path, optional
        For the outcomes; see `read_outcomes`.
    """

    clinical: Path
    signs: Path | None = None
    labels: Path | None = None
    nihss: Path | None = None


@dataclass(frozen=True)
class ScoreRun:
    """What was found.

    Parameters
    ----------
    patients : Patients
        As read.
    scored : tuple of Scored
        In the same order.
    outcomes : DataFrame or None
        Every definition, where labels were given.
    """

    patients: Patients
    scored: tuple[Scored, ...]
    outcomes: pd.DataFrame | None


def choose_scores(names: Sequence[str] = ()) -> tuple[Score, ...]:
    """Give the scores of these names, in any case; all without any.

    Raises
    ------
    UsageError
        There is no such score.
    """
    known = all_scores()
    by_name = {name.lower(): score for name, score in known.items()}
    missing = [name for name in names if name.lower() not in by_name]
    if missing:
        raise UsageError(
            f"{len(missing)} of the scores named are not known",
            f"any of {', '.join(known)}",
            "Correct the names; docs/reference/scores.md lists what is not supported, and why",
        )
    return tuple(by_name[name.lower()] for name in dict.fromkeys(names)) or tuple(known.values())


def score_files(
    tables: ScoreTables, out: Path, scores: Sequence[Score] = (), *, race: bool = True
) -> ScoreRun:
    """Score all patients of a table.

    Parameters
    ----------
    tables : ScoreTables
        All are read and checked before anything is written.
    out : Path
        Folder for ``scores.csv``, ``scores.json``, ``predictions.csv``, ``ranks.csv`` and, with
        labels, ``outcomes.csv``.
    scores : sequence of Score
        Which; all without any.
    race : bool
        Count items that ask for race.

    Raises
    ------
    NothingThere, TableError, UsageError
        A table that cannot be used, with all its faults.
    OutputExists, NotWritable, InUse
        `out` holds somebody's files, cannot be written to, or is being written to.
    """
    chosen = tuple(scores) or choose_scores()
    patients = read_patients(tables.clinical, tables.signs)
    _refuse_our_names(patients)
    outcomes = None
    if tables.labels is not None:
        outcomes = read_outcomes(tables.clinical, tables.labels, tables.nihss)
    with claim(out, KIND) as folder:
        scored = tuple(
            Scored(one, tuple(apply(score, one.facts, race=race) for score in chosen))
            for one in patients.rows
        )
        run = ScoreRun(patients, scored, outcomes)
        folder.write_all(_files(run, chosen))
    return run


def _refuse_our_names(patients: Patients) -> None:
    """Refuse columns of the user's that would be taken for ours."""
    ours = set(COLUMNS) | set(AS_PREDICTIONS)
    twice = sum(name in ours for name in patients.others)
    if twice:
        raise TableError(
            f"{twice} column(s) of the clinical table have names of the table of scores",
            "other names, since columns that no score asks for are kept beside the scores",
            f"Rename or remove {', '.join(name for name in patients.others if name in ours)}",
        )


def _files(run: ScoreRun, chosen: Sequence[Score]) -> dict[str, str | bytes]:
    others = [name for name in run.patients.others if name != _SIMULATED]
    last = [_SIMULATED] if run.patients.simulated else []
    more = {_SIMULATED: 1} if last else {}

    def table(rows: object, columns: Sequence[str]) -> str:
        told = ({**row, **more} for row in rows)  # type: ignore[attr-defined]
        return table_text(told, [*columns, *others, *last])

    content = score_json(run.scored, chosen) | ({_SIMULATED: True} if last else {})
    files: dict[str, str | bytes] = {
        "scores.csv": table(score_rows(run.scored), COLUMNS),
        "scores.json": json_text(content),
        "predictions.csv": table(risks_as_predictions(run.scored), AS_PREDICTIONS),
        "ranks.csv": table(points_as_predictions(run.scored), AS_PREDICTIONS),
    }
    if run.outcomes is not None:
        rows = (
            {str(k): _flag(v) for k, v in row.items()} for row in run.outcomes.to_dict("records")
        )
        files["outcomes.csv"] = table_text(rows, list(run.outcomes.columns))
    return files


def _flag(cell: object) -> object:
    """1, 0, or nothing where it is not known; names stay."""
    return cell if isinstance(cell, str) else int(cell) if isinstance(cell, bool) else None
