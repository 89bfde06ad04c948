"""Read the International Stroke Trial's table, or one of its format, and doubt what it holds.

Sandercock PAG, Niewada M, Czlonkowska A 2011, Trials 12:101, 10.1186/1745-6215-12-101; data
10.7488/ds/104, ODC-By 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.errors import NothingThere, TableError, UsageError

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = {"H14": "any cerebral bleed within 14 days", "HTI14": "HT within 14 days"}
DEFICITS = tuple(f"RDEF{i}" for i in range(1, 9))
SIGNS = ("N", "Y", "C")
CODES: dict[str, tuple[str, ...]] = {
    "SEX": ("F", "M"),
    "RCONSC": ("F", "D", "U"),
    "RSLEEP": ("N", "Y"),
    "RATRIAL": ("N", "Y"),
    "RCT": ("N", "Y"),
    "RVISINF": ("N", "Y"),
    "RHEP24": ("N", "Y"),
    "RASP3": ("N", "Y"),
    "STYPE": ("PACS", "TACS", "LACS", "POCS", "OTH"),
    "RXASP": ("N", "Y"),
    "RXHEP": ("N", "L", "M"),
}
"""Codes of the columns, as the trial's data dictionary gives them."""
NUMBERS = {"AGE": (15, 110), "RSBP": (50, 320), "RDELAY": (0, 72)}
"""Columns of numbers, and what they can be: years, mm Hg, hours."""
PILOT_HIGH = "H"
"""The pilot's name for the trial's medium dose of heparin: 12,500 units twice daily."""
NEEDED = (*NUMBERS, *CODES, *DEFICITS, "DDIAGISC", *OUTCOMES, "COUNTRY")


@dataclass(frozen=True, eq=False)
class Trial:
    """Patients whose final diagnosis was ischemic stroke.

    Parameters
    ----------
    patients : Measurements
        As known at randomisation, treatment included.
    outcomes : dict
        Name -> 0 or 1 of every patient, NaN where unknown.
    country : ndarray of str, shape (n,)
    told : tuple of str
        What was left out or doubted.
    """

    patients: Measurements
    outcomes: dict[str, Float64Array]
    country: np.ndarray
    told: tuple[str, ...]

    def split(self, countries: Sequence[str]) -> tuple[Trial, Trial]:
        """Return the patients of some countries, and all others.

        Raises
        ------
        UsageError
            There is no such country, or there are no others.
        """
        chosen = np.isin(self.country, countries)
        absent = sorted(set(countries) - set(self.country))
        if absent or chosen.all():
            raise UsageError(
                f"{len(absent)} of the countries named are not there, {int((~chosen).sum())} "
                "patients are of others",
                f"some of {', '.join(sorted(set(self.country)))}",
                "Name them as COUNTRY does",
            )
        return self._part(chosen), self._part(~chosen)

    def _part(self, rows: np.ndarray) -> Trial:
        outcomes = {name: column[rows] for name, column in self.outcomes.items()}
        return Trial(self.patients.part(rows), outcomes, self.country[rows], self.told)

    def cohort(self, outcome: str) -> tuple[Cohort, list[str]]:
        """Return the patients whose outcome is known, and the names of their groups."""
        known = ~np.isnan(self.outcomes[outcome])
        names, group = np.unique(self.country[known], return_inverse=True)
        patients = self.patients.part(known)
        return Cohort(patients, self.outcomes[outcome][known], group), [str(x) for x in names]


def read_trial(path: Path) -> Trial:
    """Read and check a table.

    Parameters
    ----------
    path : Path
        CSV with a header, plain or packed with gzip; Latin-1, as the trial's is.

    Raises
    ------
    NothingThere
        There is no file.
    TableError
        An empty file, missing columns, codes or numbers that cannot be, no patient with ischemia.
    """
    table = _table(path)
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise TableError(
            f"The table lacks {len(missing)} columns: {', '.join(missing)}",
            "the columns of the International Stroke Trial",
            "Give the trial's own table, or name the columns as it does",
        )
    ischemic = table[table["DDIAGISC"] == "Y"].reset_index(drop=True)
    told = [
        f"{len(table) - len(ischemic):,} of {len(table):,} patients left out: "
        "final diagnosis not ischemic stroke"
    ]
    if not len(ischemic):
        raise TableError(
            f"None of {len(table)} patients has a final diagnosis of ischemic stroke",
            "DDIAGISC = Y for some", "Check the column",
        )  # fmt: skip
    if (ischemic["COUNTRY"] == "").any():
        raise TableError(
            f"{int((ischemic['COUNTRY'] == '').sum())} patients have no country",
            "the country of every patient", "Complete COUNTRY, or leave those patients out",
        )  # fmt: skip
    ischemic["RXHEP"] = ischemic["RXHEP"].replace(PILOT_HIGH, "M")
    outcomes = {name: _outcome(ischemic[name], name) for name in OUTCOMES}
    for name, column in outcomes.items():
        if np.isnan(column).any():
            told.append(f"{int(np.isnan(column).sum()):,} patients without {name} left out of it")
    patients = _measurements(ischemic)
    share = np.isnan(patients.values).mean(axis=0)
    for variable, lost in zip(patients.variables, share, strict=True):
        if lost:
            told.append(f"{variable.name} missing in {100 * lost:.1f} %")
    return Trial(patients, outcomes, ischemic["COUNTRY"].to_numpy(), tuple(told))


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise NothingThere("There is no such file", "the trial's table", "Check the path")
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="latin-1", compression="infer"
        )
    except (ValueError, OSError, EOFError) as error:
        raise TableError(
            "The file is empty or no table", "a CSV with a header", "Check what wrote it"
        ) from error
    table.columns = [str(name).lstrip("ï»¿").strip().upper() for name in table.columns]
    if table.columns.duplicated().any():
        raise TableError("A column is there twice", "each column once", "Drop one")
    if not len(table):
        raise TableError("The table has no rows", "patients", "Check what wrote it")
    return table.apply(lambda column: column.str.strip().str.upper())


def _refuse(name: str, wrong: np.ndarray, expected: str) -> None:
    if wrong.any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(wrong)[:5])
        raise TableError(
            f"Column {name} has {int(wrong.sum())} cells that cannot be right (ischemic patient "
            f"{rows}{' ...' if wrong.sum() > 5 else ''} among them)",
            f"{expected}, or nothing where unknown",
            "Correct them",
        )


def _outcome(column: pd.Series, name: str) -> Float64Array:
    text = column.to_numpy()
    _refuse(name, ~np.isin(text, ["0", "1", ""]), "0 or 1")
    return np.array([np.nan if cell == "" else float(cell) for cell in text])


def _measurements(table: pd.DataFrame) -> Measurements:
    variables, columns = [], []
    for name, (least, most) in NUMBERS.items():
        text = table[name].to_numpy()
        numbers = np.array([_number(cell) for cell in text])
        with np.errstate(invalid="ignore"):
            wrong = (text != "") & ~((numbers >= least) & (numbers <= most))
        _refuse(name, wrong, f"a number from {least} to {most}")
        variables.append(Variable(name, "spline"))
        columns.append(numbers)
    for name, codes in CODES.items():
        text = table[name].to_numpy()
        place = {code: float(i) for i, code in enumerate(codes)}
        _refuse(name, ~np.isin(text, [*codes, ""]), " or ".join(codes))
        binary = len(codes) == 2
        variables.append(
            Variable(name, "binary" if binary else "category", () if binary else codes)
        )
        columns.append(np.array([place.get(cell, np.nan) for cell in text]))
    signs = table[list(DEFICITS)].to_numpy()
    for name, text in zip(DEFICITS, signs.T, strict=True):
        _refuse(name, ~np.isin(text, [*SIGNS, ""]), " or ".join(SIGNS))
    # Eight signs would cost sixteen coefficients, of which 74 events teach little.
    variables.append(Variable("DEFICITS", "linear"))
    columns.append((signs == "Y").sum(axis=1).astype(np.float64))
    return Measurements(tuple(variables), np.column_stack(columns))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
