"""The tables of a simulated cohort: what a record and its reviewers would hold, and the truth.

Numbers of the truth have nine significant digits, so that they are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from numpy.random import SeedSequence

from hemocast.config import SimulateConfig
from hemocast.files import table_text
from hemocast.simulate.epidemiology.ceilings import ceilings
from hemocast.simulate.epidemiology.outcome import draw_reviews
from hemocast.simulate.epidemiology.patients import Patient
from hemocast.simulate.scanner.vendors import VENDORS
from hemocast.stats import Cases, auc

Row = dict[str, object]

CLINICAL = (
    "treatment", "thrombolytic_hours", "thrombectomy_hours", "onset_to_first_scan_hours", "nihss",
    "glucose_mmol_l", "systolic_mmhg", "atrial_fibrillation",
)  # fmt: skip
FOLLOW_UP = ("ht_grade", "ht_detected_hours", "last_imaging_hours")
FOUND = (
    "side", "volume_ml", "water_uptake", "aspects", "hyperdense_artery", "van_swieten", "age",
)  # fmt: skip
REVIEWS = ("reviewer_id", "role", "label", "ht_grade")


@dataclass(frozen=True)
class CohortAuc:
    """The AUC that a risk reaches.

    Parameters
    ----------
    ceiling : str
        ``true``, ``image`` or ``clinical``.
    expected : float
        Over patients drawn without end (`hemocast.simulate.epidemiology.ceilings`).
    cohort : float
        On this cohort's patients.
    """

    ceiling: str
    expected: float
    cohort: float


def cohort_ceilings(config: SimulateConfig, patients: Sequence[Patient]) -> tuple[CohortAuc, ...]:
    """Return the ceilings for who knows everything, the image alone, the record alone."""
    best, label = ceilings(config), [p.label for p in patients]
    risks = {
        "true": [p.risk for p in patients],
        "image": [p.risk_image for p in patients],
        "clinical": [p.risk_clinical for p in patients],
    }
    return tuple(
        CohortAuc(name, getattr(best, name), auc(Cases(label, risk)))
        for name, risk in risks.items()
    )


def person_row(patient: Patient) -> Row:
    """Return age, sex and site, as ``participants.tsv`` has them."""
    return {"age": int(patient.age), "sex": "M" if patient.male else "F", "site": patient.site}


def clinical_row(patient: Patient) -> Row:
    """Return what the record of the admission holds, in the columns `CLINICAL`."""
    done = [patient.treatment] if patient.treatment != "none" or not patient.thrombectomy else []
    done += ["thrombectomy"] * patient.thrombectomy
    return {
        "treatment": ";".join(done),
        "thrombolytic_hours": _rounded(patient.treatment_hours),
        "thrombectomy_hours": _rounded(patient.thrombectomy_hours),
        "onset_to_first_scan_hours": round(patient.scans[0].hours, 2),
        "nihss": int(patient.nihss),
        "glucose_mmol_l": round(patient.glucose, 1),
        "systolic_mmhg": round(patient.systolic),
        "atrial_fibrillation": int(patient.atrial_fibrillation),
    }


def follow_up_row(patient: Patient) -> Row:
    """Return what later imaging told, in the columns `FOLLOW_UP`: part of the label."""
    return {
        "ht_grade": patient.grade or "none",
        "ht_detected_hours": patient.follow_up.detected_hours,
        "last_imaging_hours": patient.follow_up.last_imaging_hours,
    }


def review_rows(config: SimulateConfig, patient: Patient) -> list[Row]:
    """Return what two reviewers, and where they disagree a committee of three, wrote."""
    reviews = draw_reviews(SeedSequence([config.seed, 6, patient.candidate]), patient.grade)
    return [
        {
            "reviewer_id": review.reviewer_id,
            "role": review.role,
            "label": int(review.grade != "none"),
            "ht_grade": review.grade,
        }
        for review in reviews
    ]


def scan_rows(patient: Patient, scan_ids: Sequence[str]) -> list[Row]:
    """Return a row for every scan before the bleed, as ``scans.tsv`` has them."""
    return [
        {
            "scan_id": name,
            "hours_from_onset": round(scan.hours, 2),
            "hours_from_first": round(scan.hours - patient.scans[0].hours, 2),
            "blood": 0,
            **_values(VENDORS[scan.vendor], "manufacturer model kernel"),
            "slice_mm": scan.protocol.slice_mm,
        }
        for name, scan in zip(scan_ids, patient.scans, strict=True)
    ]


def finding_rows(patient: Patient, scan_ids: Sequence[str]) -> list[Row]:
    """Return what a perfect reader would note of every scan, in the columns `FOUND`.

    The water uptake is the one that is rendered.
    """
    infarct = patient.infarct
    return [
        {
            "scan_id": name,
            "side": infarct.side,
            "volume_ml": round(infarct.volume_ml, 3),
            "water_uptake": round(scan.uptake_rendered, 4),
            "aspects": patient.aspects,
            "hyperdense_artery": int(patient.hyperdense),
            "van_swieten": sum(patient.van_swieten),
            "age": int(patient.age),
        }
        for name, scan in zip(scan_ids, patient.scans, strict=True)
    ]


def truth_row(patient: Patient, participant_id: str) -> Row:
    """Return what only the simulator knows of a patient."""
    infarct, old, bleed = patient.infarct, patient.old_infarct, patient.follow_up.bleed
    return {
        "patient_id": patient.patient_id,
        "participant_id": participant_id,
        **_values(patient, "label risk risk_image risk_clinical risk_population"),
        "ht_grade": patient.grade or "none",
        "bleed_ml": bleed.volume_ml if bleed else None,
        **_values(infarct, "territory side pattern volume_ml"),
        "aspects": patient.aspects,
        "hyperdense": int(patient.hyperdense),
        "van_swieten_anterior": patient.van_swieten[0],
        "van_swieten_posterior": patient.van_swieten[1],
        "old_territory": old.territory if old else None,
        "old_side": old.side if old else None,
        "old_volume_ml": old.volume_ml if old else None,
    }


def truth_scan_rows(patient: Patient, scan_ids: Sequence[str]) -> Iterator[Row]:
    """Yield what only the simulator knows of every scan, the one with the bleed last."""
    named = [*zip(patient.scans, scan_ids, strict=True)]
    for scan, name in [*named, *([(patient.bleed, None)] if patient.bleed else [])]:
        rotation, shift = scan.protocol.rotation_degrees, scan.protocol.shift_mm
        yield {
            "patient_id": patient.patient_id,
            "study": scan.folder,
            "scan_id": name,
            **_values(scan, "hours uptake uptake_rendered"),
            "midline_shift_mm": scan.shift_mm,
            "blood_ml": scan.bleed.volume_ml if scan.bleed else 0,
            "slice_mm": scan.protocol.slice_mm,
            "mixed": int(scan.protocol.mixed),
            **_values(scan.protocol, "motion_mm noise_hu tilt_degrees"),
            **{f"rotation_{a}": rotation[i] for i, a in enumerate("xyz")},
            **{f"shift_{a}": shift[i] for i, a in enumerate("xyz")},
        }


def label_row(patient: Patient) -> Row:
    """Return label and follow-up, as a dataset's ``labels.tsv`` has them."""
    return {"label": patient.label} | follow_up_row(patient)


def patient_tables(config: SimulateConfig, named: Sequence[tuple[str, Patient]]) -> dict[str, str]:
    """Return ``labels.tsv``, ``clinical.tsv`` and ``reviews.tsv`` of a dataset, name -> text.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    named : sequence of (str, Patient)
        participant_id and patient.
    """
    labels: list[Row] = []
    clinical, reviews = list(labels), list(labels)
    for name, patient in named:
        person: Row = {"participant_id": name}
        labels.append(person | label_row(patient))
        clinical.append(person | clinical_row(patient))
        reviews += [person | row for row in review_rows(config, patient)]
    key = "participant_id"
    return {
        "labels.tsv": tsv_text(labels, [key, "label", *FOLLOW_UP]),
        "clinical.tsv": tsv_text(clinical, [key, *CLINICAL]),
        "reviews.tsv": tsv_text(reviews, [key, *REVIEWS]),
    }


def csv_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV with a header; floats with nine significant digits, None empty."""
    short = (
        {k: float(f"{v:.9g}") if isinstance(v, float) else v for k, v in row.items()}
        for row in rows
    )
    return table_text(short, list(rows[0]))


def tsv_text(rows: Iterable[Row], columns: Sequence[str]) -> str:
    """Return rows as a dataset's TSV: floats in full, ``n/a`` for None and what a row lacks."""
    full = ({k: str(v) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return table_text(full, columns, separator="\t", missing="n/a")


def _values(record: object, names: str) -> Row:
    """Return some fields of a record as cells."""
    return {name: getattr(record, name) for name in names.split()}


def _rounded(hours: float | None) -> float | None:
    return None if hours is None else round(hours, 2)
