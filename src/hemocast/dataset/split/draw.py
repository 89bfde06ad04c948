"""Splits of a dataset drawn by a stated scheme, and kept in it with their receipts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hemocast.dataset.layout import Dataset
from hemocast.dataset.split.by_patient import Split, split_patients
from hemocast.dataset.split.saved import refuse_other, save_splits
from hemocast.dataset.split.schemes import split_by_date, split_by_site, split_folds
from hemocast.dataset.tables.columns import TableSchema, parse_table, refuse
from hemocast.dataset.tables.schema import PARTICIPANTS
from hemocast.errors import TableError, UsageError
from hemocast.tables import read_table

Scheme = Literal["patient", "folds", "site", "date"]

_USUAL_NAME: dict[Scheme, str] = {
    "patient": "default", "folds": "fold", "site": "site", "date": "date"
}  # fmt: skip


@dataclass(frozen=True)
class SplitPlan:
    """How to split.

    Parameters
    ----------
    by : {"patient", "folds", "site", "date"}
        A share of the patients at random; every patient once, in folds; each site in turn; those
        admitted last.
    name : str or None
        Of the split; folds and sites are called ``NAME-01`` and so on. None: ``default``, ``fold``,
        ``site`` or ``date``.
    test_fraction, folds, first_test_year : float, int, int or None
        Share of each class that is tested; folds; year of admission from which on patients are.
    min_per_class : int
        Patients of each class that a fold or a site must have to be tested.
    seed : int
        Of the draw.
    """

    by: Scheme = "patient"
    name: str | None = None
    test_fraction: float = 0.1
    folds: int = 5
    first_test_year: int | None = None
    min_per_class: int = 1
    seed: int = 0

    def check(self) -> None:
        """Refuse what does not fit together.

        Raises
        ------
        UsageError
            A name that no file can have everywhere; a split by date without a year, or a year for
            another one.
        """
        if self.name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", self.name):
            raise UsageError(
                "The name of the split cannot be that of a file",
                "1 to 64 letters (a to z), digits, - and _",
                "Choose another name",
            )
        if (self.by == "date") != (self.first_test_year is not None):
            raise UsageError(
                f"A split by {self.by} was given "
                f"{'no' if self.first_test_year is None else 'a'} first year for testing",
                "a year with a split by date, and with no other",
                "Give --first-test with --by date alone",
            )

    def draw(self, dataset: Dataset, labels: Mapping[str, int]) -> tuple[Split, ...]:
        """Split these patients.

        Parameters
        ----------
        dataset : Dataset
            Whose ``participants.tsv`` knows sites and years of admission.
        labels : mapping
            participant_id -> 1 (HT) or 0 (no HT).

        Raises
        ------
        TooFewPatients
            As the schemes do.
        NothingThere, TableError
            Sites or years are asked for and cannot be read.
        """
        name = self.name or _USUAL_NAME[self.by]
        least = self.min_per_class
        if self.by == "folds":
            return split_folds(labels, self.folds, self.seed, name=name, min_per_class=least)
        if self.by == "site":
            return split_by_site(labels, sites_of(dataset), name=name, min_per_class=least)
        if self.by == "date" and self.first_test_year is not None:
            years = _known(dataset, "admission_year")
            return (split_by_date(labels, years, self.first_test_year, name),)
        return (split_patients(labels, self.test_fraction, self.seed, name),)


def sites_of(dataset: Dataset) -> dict[str, str]:
    """Read where each participant was scanned, of those of whom ``participants.tsv`` knows it.

    Raises
    ------
    NothingThere, TableError
        The table is missing or bad.
    """
    return {patient: str(site) for patient, site in _known(dataset, "site").items()}


def draw_splits(
    dataset: Dataset, plan: SplitPlan, among: Path | None = None
) -> tuple[dict[str, Any], ...]:
    """Split the patients of a dataset who have a label and a scan; keep the splits in it.

    Parameters
    ----------
    dataset : Dataset
        With labels.
    plan : SplitPlan
        How to split.
    among : Path, optional
        A table whose ``participant_id`` alone are split, such as a cohort's ``scans.tsv``.

    Returns
    -------
    tuple of dict
        The receipts.

    Raises
    ------
    NothingThere, DatasetError, TableError
        There is no dataset of Hemocast's, or a table is missing or bad.
    UsageError, TooFewPatients
        As `SplitPlan` says.
    OutputExists
        One of the names has another split; nothing has been written then.
    NotWritable, InUse
        The dataset cannot be written to, or somebody else writes to it.
    """
    plan.check()
    dataset.refuse_foreign()
    people = dataset.table("scans")["participant_id"].tolist()
    inside = set(people) if among is None else set(people) & _listed(among)
    labels = {patient: label for patient, label in dataset.labels().items() if patient in inside}
    splits = plan.draw(dataset, labels)
    folder = dataset.root / "splits"
    with dataset.writing():
        for split in splits:
            refuse_other(split, folder)
        return save_splits(splits, labels, people, folder)


def _listed(path: Path) -> set[str]:
    table = read_table(path, "The table of patients")
    if "participant_id" not in table:
        raise TableError(
            "The table of patients lacks a column", "a column participant_id", "Name it so"
        )
    return set(table["participant_id"].str.strip())


def _known(dataset: Dataset, column: str) -> dict[str, Any]:
    """Read one column of the participants where it is known."""
    columns = [one for one in PARTICIPANTS.columns if one.name in ("participant_id", column)]
    parsed = parse_table(
        TableSchema(PARTICIPANTS.name, tuple(columns), ("participant_id",)),
        dataset.table(PARTICIPANTS.name),
    )
    refuse(parsed.faults)
    known = parsed.table.dropna(subset=[column])
    return dict(zip(known["participant_id"], known[column], strict=True))
