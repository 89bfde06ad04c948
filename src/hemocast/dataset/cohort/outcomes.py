"""Every definition of the outcome at once, from anybody's tables: labels, NIHSS series, times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.cohort.symptomatic import symptomatic
from hemocast.dataset.tables.columns import Fault, parse_table, refuse, rows_of
from hemocast.dataset.tables.schema import CLINICAL, LABELS, NIHSS
from hemocast.errors import UsageError
from hemocast.tables import called, read_table

if TYPE_CHECKING:
    import pandas as pd

_CLINICAL = CLINICAL.of_anyone("clinical.csv")
_LABELS = LABELS.of_anyone("labels.csv")
_NIHSS = NIHSS.of_anyone("nihss.csv")
_HEMATOMA = {"HI1": False, "HI2": False, "none": False, "PH1": True, "PH2": True}


@dataclass(frozen=True)
class _Course:
    labels: pd.DataFrame
    clinical: pd.DataFrame
    nihss: pd.DataFrame


def read_outcomes(clinical: Path, labels: Path, nihss: Path | None = None) -> pd.DataFrame:
    """Apply every definition to everybody in the table of labels.

    Parameters
    ----------
    clinical, labels, nihss : Path
        With the columns of a dataset's tables of these names, keyed by ``participant_id``. Without
        `nihss`, the ``nihss.tsv`` beside the labels is taken, if there is one.

    Returns
    -------
    DataFrame
        ``participant_id``, ``any_ht``, ``parenchymal_hematoma`` (PH1 or PH2, the grades of ECASS I)
        and the definitions of `symptomatic`, as booleans; missing where it depends on something
        that is not known. Where the labels have no column ``death_hours``, no death is known.

    Raises
    ------
    NothingThere
        There is no such file.
    UsageError
        The clinical table is also given as the labels.
    TableError
        Anything wrong in one of them; all faults at once.
    """
    import pandas as pd

    if clinical.resolve() == labels.resolve():
        raise UsageError(
            "The clinical table is also given as the table of labels",
            "a table of labels of its own, since what is known only later is no predictor",
            "Put label, grade and times into a second table",
        )
    beside = labels.parent / "nihss.tsv"
    source = nihss or (beside if beside.is_file() else None)
    series = (
        pd.DataFrame(columns=[column.name for column in _NIHSS.columns], dtype="str")
        if source is None
        else read_table(source, may_be_empty=True)
    )
    said = read_table(labels)
    series_name = called(source) if source else _NIHSS.name
    parsed = [
        parse_table(schema, text)
        for schema, text in (
            (replace(_LABELS, name=called(labels)), said),
            (replace(_CLINICAL, name=called(clinical)), read_table(clinical)),
            (replace(_NIHSS, name=series_name), series),
        )
    ]
    course = _Course(*(one.table for one in parsed))
    faults = [fault for one in parsed for fault in one.faults]
    person = course.nihss["participant_id"]
    strange = person.notna() & ~person.isin(course.labels["participant_id"])
    if strange.any():
        why = "a participant_id of the table of labels"
        faults.append(Fault(series_name, "participant_id", rows_of(strange), why))
    refuse(tuple(faults))
    found = symptomatic(course, deaths_recorded="death_hours" in said.columns)
    found.insert(1, "any_ht", course.labels["label"].to_numpy())
    found.insert(2, "parenchymal_hematoma", _hematoma(course.labels).to_numpy())
    return found


def _hematoma(labels: pd.DataFrame) -> pd.Series:
    """PH1 or PH2, by grade or by Heidelberg class (1c, 2); a remote one has no grade."""
    import pandas as pd

    graded = labels["ht_grade"].map(_HEMATOMA).astype("boolean")
    words = labels["heidelberg_class"].str.split(";")
    classed = words.map(lambda found: bool({"1c", "2"} & set(found)), na_action="ignore")
    answer = graded.fillna(classed.astype("boolean"))
    none = pd.Series(False, index=labels.index, dtype="boolean")
    return answer.mask(answer.isna() & (labels["label"] == False).fillna(False), none)  # noqa: E712
