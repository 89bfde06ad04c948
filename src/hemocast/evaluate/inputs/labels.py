"""Labels from a table of their own, for predictions that hold none."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.description import says_simulated
from hemocast.dataset.tables.columns import (
    HT_OR_NOT,
    Column,
    Fault,
    TableSchema,
    columns_found,
    parse_table,
    refuse,
    rows_of,
)
from hemocast.dataset.tables.patients import PATIENT, by_participant, refuse_nobody
from hemocast.evaluate.inputs.outcomes import FOLLOW_UP, STATUS, UNSEEN
from hemocast.tables import MISSING, PRINTABLE, PRINTABLE_WORDS, called, read_table

if TYPE_CHECKING:
    import pandas as pd

SCAN, PERSON = "scan_id", "participant_id"
_NOUNS = {SCAN: "scan", PERSON: "participant"}


def join_labels(
    predictions: pd.DataFrame,
    left_out: pd.Series,
    path: Path,
    table: str,
    secret: bytes | None = None,
) -> tuple[pd.DataFrame, bool]:
    """Give every prediction the label that another table holds for its scan or participant.

    Joined by ``scan_id`` where the labels have that column, else by ``participant_id``. Labels of
    scans that also name the participant tell it of predictions that do not know it.

    Parameters
    ----------
    predictions : DataFrame of str
        As read, one row per scan and model.
    left_out : Series of bool
        Rows without a prediction; they need no label.
    path : Path
        A dataset's ``labels.tsv``, or a table with ``label`` (0, 1, or ``n/a`` where not
        known) and ``scan_id`` or ``participant_id`` or both; or, with the key, ``patient_id``. Its
        columns of `FOLLOW_UP` are joined too.
    table : str
        What the predictions are called in messages.
    secret : bytes, optional
        Key of the predictions' pseudonyms.

    Returns
    -------
    predictions : DataFrame of str
        With a label in every row that is not left out, or the reason why there is none.
    simulated : bool
        The labels, or the dataset that they lie in, say that they are simulated.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        Anything wrong in the labels; a prediction without a label, or whose own label or
        participant is another than that of the labels. All rows at once.
    NobodyMatched
        No label is of one of the predictions.
    """
    known = PERSON in predictions.columns
    people = predictions[PERSON].str.strip().tolist() if known else []
    labels, key, name = _read(path, secret, people)
    if key not in predictions.columns:
        why = f"the column is missing; {name} gives its labels by it"
        refuse((Fault(table, key, (), why),))
    keys = predictions[key].str.strip()
    empty = keys.where(keys.isna(), "")
    own = _known(predictions["label"]) if "label" in predictions.columns else empty
    given = keys.map(dict(zip(labels[key], labels["label"], strict=True))).fillna("")
    wanted = ~left_out
    more = _follow_up(predictions, labels, keys, key)
    unseen = more[STATUS].isin(UNSEEN) if STATUS in more else ~wanted & False
    if not (own[wanted] != "").all():
        refuse_nobody(labels[key], keys[wanted & (keys != MISSING)], (name, table))
    faults = [
        _fault(
            wanted & own.isin(["0", "1"]) & (given != "") & (own != given), table, "label",
            f"the label that {name} gives; the two disagree",
        ),
        _fault(
            wanted & ~unseen & (own == "") & (given == ""), table, key,
            f"a {_NOUNS[key]} to which {name} gives a label (0 or 1), or an {STATUS} that says why "
            f"not ({', '.join(UNSEEN)})",
        ),
    ]  # fmt: skip
    joined = {"label": own.where(own != "", given), **more}
    if key == SCAN and PERSON in labels.columns:
        person = _known(predictions[PERSON]) if PERSON in predictions.columns else empty
        told = keys.map(dict(zip(labels[SCAN], labels[PERSON], strict=True))).fillna("")
        other = wanted & (person != "") & (told != "") & (person != told)
        why = f"the participant that {name} gives for the scan; the two disagree"
        faults.append(_fault(other, table, PERSON, why))
        joined[PERSON] = person.where(person != "", told)
    refuse(tuple(fault for fault in faults if fault is not None))
    simulated = "simulated" in labels.columns and bool((labels["simulated"] == "1").any())
    return predictions.assign(**joined), simulated or says_simulated(path.parent)


def _follow_up(
    predictions: pd.DataFrame, labels: pd.DataFrame, keys: pd.Series, key: str
) -> dict[str, pd.Series]:
    """Columns of the follow-up, the predictions' own cells first."""
    found = {}
    for column in (column.name for column in FOLLOW_UP if column.name in labels.columns):
        told = keys.map(dict(zip(labels[key], labels[column], strict=True))).fillna("")
        if column in predictions.columns:
            own = _known(predictions[column])
            told = own.where(own != "", told)
        found[column] = told
    return found


def _read(
    path: Path, secret: bytes | None, people: Collection[str]
) -> tuple[pd.DataFrame, str, str]:
    """Return the checked labels as text ("" where not known), their key, and their name."""
    name = called(path)
    text = by_participant(read_table(path), name, secret, people)
    key = SCAN if SCAN in text.columns else PERSON
    schema = TableSchema(
        name,
        (
            *(
                Column(
                    column, required=column == key, blank=column != key,
                    pattern=PRINTABLE, described=PRINTABLE_WORDS,
                )
                for column in (SCAN, PERSON)
            ),
            Column("label", "flag", words=HT_OR_NOT, required=True, hint="1 HT, 0 no HT"),
            Column("simulated", "flag"),
            *FOLLOW_UP,
        ),
        (key,),
    )  # fmt: skip
    parsed = parse_table(schema, text)
    text, faults = parsed.text, parsed.faults
    if key not in text.columns:
        why = (
            f"the column is missing, and {SCAN} and {PATIENT} too: labels need one of them; "
            f"{columns_found(text.columns)}"
        )
        faults = tuple(
            Fault(name, key, (), why) if fault.column == key else fault for fault in faults
        )
    refuse(faults)
    known = [column.name for column in schema.columns if column.name in text.columns]
    return text[known].apply(_known), key, name


def _known(cells: pd.Series) -> pd.Series:
    text = cells.str.strip()
    return text.mask(text == MISSING, "")


def _fault(bad: pd.Series, table: str, column: str, why: str) -> Fault | None:
    return Fault(table, column, rows_of(bad), why) if bad.any() else None
