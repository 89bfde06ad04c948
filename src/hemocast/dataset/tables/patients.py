"""Tables that name patients as their hospital does, brought under the pseudonyms of a key."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.description import refuse_other_key
from hemocast.dataset.pseudonym import DIGITS, given_key, key_beside, participant_id
from hemocast.dataset.tables.columns import named_as
from hemocast.errors import NobodyMatched, TableError

if TYPE_CHECKING:
    import pandas as pd

PERSON, PATIENT = "participant_id", "patient_id"


def key_of_dataset(root: Path, given: Path | None) -> bytes | None:
    """Read the key that named a dataset's patients.

    Parameters
    ----------
    root : Path
        The dataset folder.
    given : Path or None
        The key's file; None: ``ROOT.key`` beside the folder, where ``hemocast ingest`` puts it.

    Returns
    -------
    bytes or None
        None where no file was given and there is none beside the folder.

    Raises
    ------
    UsageError
        The file holds no key, or another one than the dataset's.
    """
    path = given or key_beside(root)
    if given is None and not path.is_file():
        return None
    key = given_key(path)
    refuse_other_key(root, key)
    return key


def by_participant(
    text: pd.DataFrame, table: str, key: bytes | None, known: Collection[str]
) -> pd.DataFrame:
    """Give a table that names patients by ``patient_id`` the ``participant_id`` of the key.

    Parameters
    ----------
    text : DataFrame of str
        As read. One that has ``participant_id`` is left as it is.
    table : str
        What it is called in messages.
    key : bytes or None
        Of the pseudonyms; None where not known.
    known : collection of str
        The pseudonyms that it is to be joined with. For NIfTI files ``ingest`` takes the label in
        ``sub-LABEL``, of which a table may hold the whole: it is tried where it gives one of these.

    Raises
    ------
    TableError
        It needs a key and there is none.
    NobodyMatched
        It names none of those known.
    """
    if not {PERSON, "scan_id"} & set(text.columns):
        text = named_as(text, (PERSON, PATIENT), table)
    if PATIENT not in text.columns or PERSON in text.columns:
        return text
    if key is None:
        raise TableError(
            f"{table} names patients by {PATIENT}, and the key that makes their pseudonyms is not "
            "known",
            f"the key, or a column {PERSON}",
            "Name the file that 'hemocast ingest' or 'hemocast predict' was given, with --key",
        )
    there = set(known)
    cells = text[PATIENT].str.strip()
    named = {cell: _pseudonym(key, cell, there) for cell in cells.unique()}
    if there and there.isdisjoint(named.values()):
        raise nobody_matched(table, [*cells], "what it is joined with, under this key,", [*there])
    return text.assign(**{PERSON: cells.map(named)}).drop(columns=PATIENT)


def refuse_nobody(given: Iterable[str], known: Iterable[str], tables: tuple[str, str]) -> None:
    """Refuse a table of patients (or scans) none of whom is known.

    Parameters
    ----------
    given, known : iterable of str
        Names in the table, and those that it is to be joined with.
    tables : tuple of str
        What the two are called.

    Raises
    ------
    NobodyMatched
        The message shows what the names look like, never one of them.
    """
    mine, theirs = [*given], [*known]
    if not mine or not theirs or set(mine) & set(theirs):
        return
    table, other = tables
    raise nobody_matched(table, mine, other, theirs)


def nobody_matched(
    table: str, given: Sequence[str], other: str, known: Sequence[str]
) -> NobodyMatched:
    """Say that no name of a table is one of those of another, and what both look like."""
    return NobodyMatched(
        f"0 of {len(given)} row(s) of {table} matched; its ids look like {_shape(given)}, those of "
        f"{other} like {_shape(known)}",
        "the same patients, by the same ids: leading zeros count",
        "Check the ids and, where patients have pseudonyms, that --key is the key that made them",
    )


def _pseudonym(key: bytes, patient: str, known: set[str]) -> str:
    if not patient:
        return ""
    names = (participant_id(key, patient), participant_id(key, patient.removeprefix("sub-")))
    return next((name for name in names if name in known), names[0])


def _shape(names: Iterable[str]) -> str:
    """Describe what most names look like: A and a for letters, 0 for digits."""
    shapes = Counter(_pattern(name) for name in names)
    return shapes.most_common(1)[0][0]


def _pattern(name: str) -> str:
    if re.fullmatch(f"sub-[0-9a-f]{{{DIGITS}}}", name):
        return "pseudonyms (sub- and hexadecimal digits)"
    text = re.sub(r"[^\W\d_]", lambda one: "a" if one[0].islower() else "A", name[:30])
    text = re.sub(r"\d", "0", text)
    return repr(re.sub(r"[^\x20-\x7e]", "?", text)) + (" ..." if len(name) > 30 else "")
