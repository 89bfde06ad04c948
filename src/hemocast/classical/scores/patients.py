"""Patients from tables: what the record says, and what was measured where it says nothing."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hemocast.classical.scores.apply import Fact, Facts
from hemocast.classical.scores.inputs import ALIKE, INPUTS, OTHER_NAMES, WITHOUT_UNIT, OtherName
from hemocast.dataset.description import says_simulated
from hemocast.dataset.tables.columns import (
    Column,
    Fault,
    Rule,
    TableSchema,
    parse_table,
    refuse,
    rows_of,
)
from hemocast.tables import PRINTABLE, called, read_table

if TYPE_CHECKING:
    import pandas as pd

PERSON, SCAN = "participant_id", "scan_id"
_NAME = rf"(?![=+@-]){PRINTABLE}"
_NAME_WORDS = "text of 1 to 200 printable characters that does not begin like a formula"
_SIGNS = tuple(name for name, one in INPUTS.items() if one.sign)
_MEASURED = tuple(name for name in _SIGNS if INPUTS[name].is_number)
_FIRST_OF_PEOPLE = ("age", "sex")


def _names() -> tuple[Column, ...]:
    text = Column(PERSON, required=True, blank=False, pattern=_NAME, described=_NAME_WORDS)
    scan = Column(SCAN, pattern=_NAME, described=_NAME_WORDS)
    return text, scan


def _agrees(other: OtherName) -> Rule:
    return Rule(
        (other.name, other.column.name),
        lambda t: (
            (t[other.name] - t[other.column.name] * other.factor).abs() > ALIKE * t[other.name]
        ).fillna(False),
        "two columns that say the same in their units",
    )


def _around(name: str) -> Rule:
    return Rule(
        (f"{name}_low", name, f"{name}_high"),
        lambda t: (
            (t[f"{name}_low"] > t[name])
            | (t[name] > t[f"{name}_high"])
            | (t[f"{name}_low"].isna() != t[f"{name}_high"].isna())
        ).fillna(False),
        "both ends of an interval, with the value between them",
    )


_CLINICAL = TableSchema(
    "clinical.csv",
    (*_names(), *(one.column for one in INPUTS.values()), *(o.column for o in OTHER_NAMES)),
    (PERSON,),
    tuple(_agrees(other) for other in OTHER_NAMES),
)
_SIGN_TABLE = TableSchema(
    "signs.csv",
    (
        *_names(),
        *(INPUTS[name].column for name in _SIGNS),
        *(
            Column(f"{name}_{end}", "number", low=of.column.low, high=of.column.high)
            for name in _MEASURED
            for end in ("low", "high")
            if (of := INPUTS[name])
        ),
    ),
    (PERSON,),
    tuple(_around(name) for name in _MEASURED),
)


@dataclass(frozen=True)
class Patient:
    """A patient to be scored.

    Parameters
    ----------
    participant_id, scan_id : str
        Names; `scan_id` is "" where the tables give none.
    facts : mapping of str to Fact
        What is known, by name of input.
    others : mapping of str to str
        Cells of columns that no score asks for, as they were.
    """

    participant_id: str
    scan_id: str
    facts: Facts
    others: Mapping[str, str]


@dataclass(frozen=True)
class Patients:
    """All patients of the tables.

    Parameters
    ----------
    rows : tuple of Patient
        In the order of the clinical table.
    others : tuple of str
        Columns that no score asks for; they are kept.
    perhaps : tuple of (str, str)
        Of these, the ones whose name is like an input's: the column, and the input's name.
    simulated : bool
        A column ``simulated``, or the dataset that a table lies in, says so.
    """

    rows: tuple[Patient, ...]
    others: tuple[str, ...]
    perhaps: tuple[tuple[str, str], ...]
    simulated: bool


@dataclass(frozen=True, eq=False)
class KnownPatients:
    """What tables that were read say of patients, checked before anybody is scored.

    Parameters
    ----------
    rows : mapping of str to mapping
        participant_id -> its cells, as typed.
    """

    rows: Mapping[str, Mapping[str, object]]

    @classmethod
    def of(cls, tables: Sequence[tuple[str, pd.DataFrame]]) -> Self:
        """Join tables by ``participant_id``; a later one's columns come before an earlier one's.

        Parameters
        ----------
        tables : sequence of (str, DataFrame)
            Each with its name for messages, its cells as text.

        Raises
        ------
        TableError
            A cell that cannot be, a patient twice, or nothing that a score asks for.
        """
        inputs = {column.name for column in _CLINICAL.columns} - {SCAN, PERSON}
        name = " and ".join(name for name, _ in tables)
        faults = [fault for each, table in tables for fault in _without_unit(table, each)]
        text = tables[0][1][[PERSON]]
        for _, table in tables:
            own = [PERSON, *(column for column in table.columns if column in inputs)]
            kept = text.drop(columns=[one for one in own[1:] if one in text.columns])
            text = kept.merge(table[own], on=PERSON, how="outer")
        faults += _nothing_to_count(text, name)
        parsed = parse_table(replace(_CLINICAL, name=name), text.fillna(""))
        refuse((*parsed.faults, *faults))
        return cls({str(row[PERSON]): row for row in _records(parsed.table)})


def with_signs(row: Mapping[str, object], scan_id: str, signs: Mapping[str, str]) -> Patient:
    """Give a patient of `KnownPatients` with what was measured on a scan.

    Parameters
    ----------
    row : mapping
        Of the patient; comes before what was measured.
    scan_id : str
        Of the scan.
    signs : mapping of str to str
        Cells of ``signs.csv``; those that no score asks for are passed over.
    """
    import pandas as pd

    asked = {column.name for column in _SIGN_TABLE.columns} & signs.keys()
    cells = {PERSON: str(row[PERSON])} | {name: signs[name] for name in asked}
    parsed = parse_table(_SIGN_TABLE, pd.DataFrame([cells], dtype=str))
    refuse(parsed.faults)
    return _patient({**row, SCAN: scan_id}, next(_records(parsed.table)), {})


def facts_of(values: Mapping[str, object]) -> Facts:
    """Give what is known of one patient, checked as a table is.

    Parameters
    ----------
    values : mapping of str to object
        Column -> value, by the names of `INPUTS` and `OTHER_NAMES`; flags may be True or False,
        and None is not known.

    Raises
    ------
    TableError
        A name that no score asks for, or a value that is not allowed.
    """
    import pandas as pd

    known = {column.name for column in _CLINICAL.columns}
    refuse(
        tuple(
            Fault("values given", name, (), "an input of a score")
            for name in values
            if name not in known
        )
    )
    cells = {name: _cell(value) for name, value in values.items()}
    parsed = parse_table(_CLINICAL, pd.DataFrame([{PERSON: "one"} | cells], dtype=str))
    refuse(parsed.faults)
    return _facts(next(_records(parsed.table)))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def read_patients(clinical: Path, signs: Path | None = None) -> Patients:
    """Read a clinical table and, where there is one, a table of measured signs.

    Parameters
    ----------
    clinical : Path
        CSV or TSV with ``participant_id`` and any inputs; one row per patient. Beside a dataset's
        ``clinical.tsv``, ``participants.tsv`` gives age and sex.
    signs : Path, optional
        The same with what was measured on the scan: signs, and ``NAME_low`` and ``NAME_high`` of
        numbers. What the clinical table says comes first.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        Anything wrong in one of them; all faults at once, by row and column.
    """
    schema = replace(_CLINICAL, name=called(clinical))
    text = read_table(clinical)
    text = _with_people(text, clinical)
    parsed = parse_table(schema, text)
    faults = [*parsed.faults, *_without_unit(text, schema.name)]
    faults += _nothing_to_count(text, schema.name)
    measured: dict[str, dict[str, object]] = {}
    if signs is not None:
        sign_schema = replace(_SIGN_TABLE, name=called(signs))
        parsed_signs = parse_table(sign_schema, read_table(signs))
        strange = _strangers(parsed_signs.table, parsed.table, sign_schema.name)
        faults += [*parsed_signs.faults, *strange]
        refuse(tuple(faults))
        measured = {str(row[PERSON]): row for row in _records(parsed_signs.table)}
    refuse(tuple(faults))
    names = {column.name for column in _CLINICAL.columns}
    others = tuple(str(name) for name in text.columns if name not in names)
    cells = text[list(others)].to_dict("records")
    rows = tuple(
        _patient(row, measured.get(str(row[PERSON]), {}), {str(k): str(v) for k, v in rest.items()})
        for row, rest in zip(_records(parsed.table), cells, strict=True)
    )
    says = "simulated" in others and bool((text["simulated"].str.strip() == "1").any())
    return Patients(rows, others, tuple(_perhaps(others)), says or says_simulated(clinical.parent))


def _with_people(text: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Add age and sex from ``participants.tsv`` beside the table."""
    beside = path.parent / "participants.tsv"
    wanted = [name for name in _FIRST_OF_PEOPLE if name not in text.columns]
    if not wanted or PERSON not in text.columns or beside == path or not beside.is_file():
        return text
    people = read_table(beside, "participants.tsv")
    if PERSON not in people.columns or people[PERSON].duplicated().any():
        return text
    keyed = people.set_index(people[PERSON].str.strip())
    found = {
        name: text[PERSON].str.strip().map(keyed[name]).fillna("")
        for name in wanted
        if name in keyed.columns
    }
    return text.assign(**found)


def _records(table: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Rows as plain values; None where a cell is missing."""
    plain = table.astype(object).where(table.notna(), None)
    for row in plain.to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def _patient(
    row: Mapping[str, object], measured: Mapping[str, object], others: Mapping[str, str]
) -> Patient:
    facts = dict(_facts(row))
    for name, fact in _facts(measured).items():
        if name not in facts:
            facts[name] = Fact(fact.value, fact.low, fact.high, measured=True)
        elif facts[name].value != fact.value:
            facts[name] = Fact(facts[name].value, overruled=fact.value)
    scan = row.get(SCAN) or measured.get(SCAN) or ""
    return Patient(str(row[PERSON]), str(scan), facts, others)


def _facts(row: Mapping[str, object]) -> Facts:
    """What one row of a parsed table says."""
    facts: dict[str, Fact] = {}
    for name, given in INPUTS.items():
        value = row.get(name)
        if value is None:
            continue
        if given.column.kind == "flag":
            facts[name] = Fact("yes" if value else "no")
        elif given.is_number:
            number = float(str(value))
            low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
            ends = (None, None) if low is None else (float(str(low)), float(str(high)))
            # Ages count in completed years, as every score means them.
            facts[name] = Fact(math.floor(number) if name == "age" else number, *ends)
        else:
            facts[name] = Fact(str(value))
    for other in OTHER_NAMES:
        value = row.get(other.column.name)
        if value is not None and other.name not in facts:
            facts[other.name] = Fact(float(str(value)) * other.factor)
    return facts


def _strangers(signs: pd.DataFrame, clinical: pd.DataFrame, name: str) -> Iterator[Fault]:
    bad = signs[PERSON].notna() & ~signs[PERSON].isin(clinical[PERSON])
    if bad.any():
        why = "a participant_id of the clinical table"
        yield Fault(name, PERSON, rows_of(bad), why)


def _without_unit(text: pd.DataFrame, table: str) -> Iterator[Fault]:
    for name, better in WITHOUT_UNIT.items():
        if name in text.columns:
            yield Fault(table, name, (), f"a name that says the unit: {better}")


def _nothing_to_count(text: pd.DataFrame, table: str) -> Iterator[Fault]:
    names = {*INPUTS, *(other.column.name for other in OTHER_NAMES)}
    if not names & set(text.columns):
        yield Fault(table, "nihss", (), "it, or another that a score asks for, is missing")


def _perhaps(others: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    known = [column.name for column in _CLINICAL.columns]
    for name in others:
        like = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.8)
        if like:
            yield name, like[0]
