"""What the scores ask for: every input once, with its unit, its limits and its other names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hemocast.dataset.tables.columns import Column
from hemocast.dataset.tables.schema import CLINICAL, PARTICIPANTS, YEAR

MG_DL = 18.016
"""mg/dL of glucose in 1 mmol/L."""
ALIKE = 0.03
"""Two columns that say the same in two units may differ by rounding, as a share."""


@dataclass(frozen=True)
class Input:
    """Something that a score asks for.

    Parameters
    ----------
    column : Column
        Its name, kind, unit and limits, as in a table.
    meaning : str
        In words.
    sign : bool
        It is seen on the scan, so that Hemocast may have measured it.
    """

    column: Column
    meaning: str
    sign: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What it can be, if it is no number."""
        return ("no", "yes") if self.column.kind == "flag" else self.column.choices

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.column.kind in ("number", "whole")


@dataclass(frozen=True)
class OtherName:
    """A column that says the same as an input, in another unit: input = factor x column."""

    column: Column
    name: str
    factor: float


def _of_dataset(name: str) -> Column:
    return next(c for c in (*CLINICAL.columns, *PARTICIPANTS.columns) if c.name == name)


def _flag(name: str, meaning: str, *, sign: bool = False) -> Input:
    return Input(Column(name, "flag"), meaning, sign)


_INPUTS = (
    Input(Column("age", "number", low=0, high=120, unit="years"), "age, in completed years"),
    Input(Column("sex", "choice", choices=("F", "M", "O")), "sex"),
    _flag("asian", "Asian, as GRASPS counts race"),
    Input(_of_dataset("nihss"), "NIHSS on admission"),
    Input(_of_dataset("glucose_mmol_l"), "glucose on admission"),
    Input(_of_dataset("systolic_mmhg"), "systolic pressure on admission"),
    Input(Column("weight_kg", "number", low=20, high=350, unit="kg"), "body weight"),
    Input(
        Column(
            "platelets_per_mm3", "number", low=1000, high=3e6, unit="per mm3",
            hint="a value below 1000 is probably 10^9/L: name the column platelets_10e9_l",
        ),
        "platelets",
    ),
    Input(
        Column(
            "onset_to_treatment_min", "number", low=10, high=YEAR * 60, unit="min",
            hint="a value below 10 is probably hours: multiply it by 60",
        ),
        "onset to thrombolysis",
    ),
    Input(
        Column("onset_to_admission_hours", "number", low=0, high=YEAR, unit="hours"),
        "onset to admission",
    ),
    _flag("onset_unknown", "nobody knows when the stroke began"),
    _flag("diabetes", "history of diabetes"),
    _flag("hypertension", "history of hypertension"),
    _flag("atrial_fibrillation", "atrial fibrillation on ECG"),
    _flag("heart_failure", "congestive heart failure"),
    _flag("cancer", "cancer"),
    _flag("dialysis", "kidney failure on dialysis"),
    _flag("prestroke_dependent", "dependent before the stroke"),
    Input(Column("prestroke_mrs", "whole", low=0, high=5), "mRS before the stroke"),
    Input(
        Column(
            "antiplatelet_before", "choice",
            choices=("none", "aspirin", "clopidogrel", "aspirin_clopidogrel", "other"),
        ),
        "antiplatelets taken before the stroke",
    ),
    Input(
        Column("statin", "choice", choices=("none", "low", "medium", "high")),
        "dose of statin taken before the stroke",
    ),
    Input(
        Column("cns", "number", low=0, high=11.5), "Canadian Neurological Scale on admission"
    ),
    Input(
        Column("stroke_subtype", "choice", choices=("lacunar", "nonlacunar", "undetermined")),
        "subtype of the stroke",
    ),
    _flag("visual_field_defect", "any defect of the visual field"),
    _flag("reduced_consciousness", "reduced level of consciousness"),
    _flag("early_infarct_signs", "early signs of the infarct on CT", sign=True),
    _flag("dense_artery", "hyperdense middle cerebral artery on CT", sign=True),
    Input(
        Column("hypodensity", "choice", choices=("none", "below_third", "third_or_more")),
        "hypodensity on CT, of the territory of the middle cerebral artery",
        sign=True,
    ),
    Input(Column("aspects", "whole", low=0, high=10), "ASPECTS on CT", sign=True),
    Input(
        Column("mtici", "choice", choices=("0", "1", "2a", "2b", "2c", "3")),
        "reperfusion after thrombectomy (mTICI)",
    ),
    Input(_of_dataset("treatment"), "treatment; whom a score is for"),
    Input(
        Column("territory", "choice", choices=("mca", "other")),
        "territory of the infarct; whom a score is for",
        sign=True,
    ),
)  # fmt: skip
INPUTS = {one.column.name: one for one in _INPUTS}

OTHER_NAMES = (
    OtherName(
        Column(
            "glucose_mg_dl", "number", low=18, high=720, unit="mg/dL",
            hint="a value below 18 is probably mmol/L: multiply it by 18.016",
        ),
        "glucose_mmol_l", 1 / MG_DL,
    ),
    OtherName(
        Column(
            "platelets_10e9_l", "number", low=1, high=3000, unit="10^9/L",
            hint="a value above 3000 is probably per mm3: name the column platelets_per_mm3",
        ),
        "platelets_per_mm3", 1000.0,
    ),
    OtherName(_of_dataset("thrombolytic_hours"), "onset_to_treatment_min", 60.0),
)  # fmt: skip

WITHOUT_UNIT = {
    "glucose": "glucose_mmol_l or glucose_mg_dl",
    "blood_glucose": "glucose_mmol_l or glucose_mg_dl",
    "platelets": "platelets_10e9_l or platelets_per_mm3",
    "weight": "weight_kg",
    "onset_to_treatment": "onset_to_treatment_min",
    "onset_to_admission": "onset_to_admission_hours",
}
"""Names that leave the unit open, and those that do not."""


def in_unit(name: str, value: float, unit: str | None) -> float:
    """Give an input's value in the unit in which a score counts it.

    Rounded far below what anybody measures, so that 200 mg/dL stays 200 whichever way it came.
    """
    factor = MG_DL if (name, unit) == ("glucose_mmol_l", "mg/dL") else 1.0
    return round(value * factor, 6)


def known_units(name: str) -> Iterable[str | None]:
    """Units in which a score may count an input; None is its own."""
    return (None, "mg/dL") if name == "glucose_mmol_l" else (None,)
