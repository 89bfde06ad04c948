"""Table 1: who was studied, by class or by part.

Policy on p values: none. In a baseline table they test what is not in question (STROBE and
TRIPOD+AI advise against them) and shrink with the sample size; the standardised difference says how
different two groups are, in the same unit for every row.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from hemocast.dataset.cohort.treatment import PRIMARY_ORDER, primary_treatment
from hemocast.errors import MissingExtra, TooFewPatients
from hemocast.workbook import workbook

if TYPE_CHECKING:
    import pandas as pd

    from hemocast.dataset.cohort.choose import Tables

# Column -> how it is called; those of `SKEWED` are given as median and quartiles.
NUMBERS = {
    "age": "Age, years",
    "nihss": "NIHSS on admission",
    "glucose_mmol_l": "Glucose, mmol/L",
    "systolic_mmhg": "Systolic pressure, mmHg",
    "diastolic_mmhg": "Diastolic pressure, mmHg",
    "onset_to_first_scan_hours": "Onset to first scan, hours",
}
SKEWED = ("nihss", "glucose_mmol_l", "onset_to_first_scan_hours")
CATEGORIES = {"sex": "Sex", "treatment_class": "Treatment (first that holds)", "site": "Site"}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Table1:
    """A baseline table.

    Parameters
    ----------
    table : DataFrame
        Text cells; columns ``Characteristic``, ``Level``, ``Missing``, ``Overall``, one per group,
        and ``SMD`` (standardised difference, second group minus first) where there are two groups.
    """

    table: pd.DataFrame

    def files(self) -> dict[str, str | bytes]:
        """Give ``table1.csv``, ``.html``, ``.tex`` and ``.xlsx``: name -> what the file holds."""
        rows = [list(self.table.columns), *self.table.to_numpy().tolist()]
        return {
            "table1.xlsx": workbook({"Table 1": rows}),
            "table1.csv": self.table.to_csv(index=False),
            "table1.html": self.table.to_html(index=False, border=0),
            # tableone's own LaTeX leaves % as it is, which comments the rest of the row out.
            "table1.tex": self.table.to_latex(index=False, escape=True),
        }


def describe_patients(tables: Tables) -> pd.DataFrame:
    """One row per participant with all that Table 1 may show.

    Returns
    -------
    DataFrame
        Columns of participants and clinical, ``treatment_class``, and ``label``.
    """
    joined = tables.participants.merge(tables.clinical, on="participant_id", how="left")
    joined = joined.merge(
        tables.labels[["participant_id", "label"]], on="participant_id", how="left"
    )
    return joined.assign(treatment_class=primary_treatment(joined["treatment"]))


def make_table1(
    patients: pd.DataFrame, group: str | None = None, *, simulated: bool = False
) -> Table1:
    """Make the baseline table.

    Parameters
    ----------
    patients : DataFrame
        One row per patient, from `describe_patients`, those not studied left out. Columns without
        any value are not shown. A missing category counts as ``unknown``, so that the rows of each
        category add up to the number of patients.
    group : str, optional
        Column of text to compare by: the class, the part of a split.
    simulated : bool
        The patients are simulated, and the table says so.

    Raises
    ------
    TooFewPatients
        No patient, or one whose group is missing.
    MissingExtra
        tableone is not installed.
    """
    if patients.empty or (group and patients[group].isna().any()):
        raise TooFewPatients(
            "Table 1 has no patient, or one without a group",
            "patients, each in a group",
            "Leave out who was not studied, and complete the groups",
        )
    numbers = [name for name in NUMBERS if name in patients and patients[name].notna().any()]
    categories = [name for name in CATEGORIES if name in patients and patients[name].notna().any()]
    data = patients[[*numbers, *categories, *([group] if group else [])]].copy()
    data[numbers] = data[numbers].astype(float)
    order = {}
    for name in categories:
        data[name] = data[name].fillna(UNKNOWN).astype(object)
        order[name] = _levels(name, data[name])
    made = _tableone(data, numbers, categories, order, group)
    groups = list(dict.fromkeys(sorted(data[group].astype(str)))) if group else []
    table = _tidy(made, groups)
    if simulated:
        table = table.rename(columns={"Characteristic": "Characteristic (SIMULATED, not patients)"})
    return Table1(table)


def _levels(name: str, column: pd.Series) -> list[str]:
    """Order of the rows of a category: treatments as ranked, others by name, unknown last."""
    present = set(column)
    ranked = PRIMARY_ORDER if name == "treatment_class" else sorted(present - {UNKNOWN})
    return [level for level in dict.fromkeys((*ranked, UNKNOWN)) if level in present]


def check_tableone() -> None:
    """Refuse to go on without the library that Table 1 is made by.

    Raises
    ------
    MissingExtra
        It is not installed.
    """
    if find_spec("tableone") is None:
        raise MissingExtra(
            "Table 1 needs tableone, which is not installed",
            "the extra `cohort`",
            'Install it with: pip install "hemocast[cohort]"',
        )


def _tableone(
    data: pd.DataFrame,
    numbers: list[str],
    categories: list[str],
    order: dict[str, list[str]],
    group: str | None,
) -> pd.DataFrame:
    check_tableone()
    from tableone import TableOne  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        # tableone 0.9 sets rows in a way that pandas 3 deprecates, and divides by spreads of 0.
        warnings.simplefilter("ignore")
        made: pd.DataFrame = TableOne(
            data.reset_index(drop=True),
            columns=[*numbers, *categories],
            categorical=categories,
            continuous=numbers,
            nonnormal=[name for name in SKEWED if name in numbers],
            groupby=group,
            rename={**NUMBERS, **CATEGORIES},
            order=order,
            smd=group is not None and data[group].nunique() == 2,
            pval=False,
            missing=True,
        ).tableone
    return made


def _tidy(made: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Flatten the two levels of tableone's rows and columns, and put them in reading order."""
    table = made.copy()
    table.columns = made.columns.get_level_values(-1).astype(str)
    table = table.rename(columns={name: "SMD" for name in table.columns if name[:5] == "SMD ("})
    table.insert(0, "Characteristic", [str(row[0]) for row in made.index])
    table.insert(1, "Level", [str(row[1]) for row in made.index])
    wanted = ["Characteristic", "Level", "Missing", "Overall", *groups, "SMD"]
    table = table[[name for name in wanted if name in table]].reset_index(drop=True)
    # A category's name stands in its first row only.
    table["Characteristic"] = table["Characteristic"].mask(table["Characteristic"].duplicated(), "")
    return table.fillna("").astype(str)
