"""A cohort before anything is rendered: who the patients are and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from hemocast.config import SimulateConfig
from hemocast.simulate.disease.bleed import Bleed, Grade
from hemocast.simulate.disease.head import Edema, Head, Infarct, Person, Stroke, build_head
from hemocast.simulate.disease.lesion import TERRITORIES
from hemocast.simulate.disease.swelling import midline_shift_mm
from hemocast.simulate.epidemiology import population
from hemocast.simulate.epidemiology.ceilings import RENDERED_UPTAKE, clinical_risks, image_risks
from hemocast.simulate.epidemiology.outcome import FollowUp, draw_follow_up
from hemocast.simulate.epidemiology.population import Population
from hemocast.simulate.epidemiology.risk import in_cohort, risks
from hemocast.simulate.scanner.detector import Protocol
from hemocast.simulate.scanner.planning import draw_protocol, vendors_of
from hemocast.simulate.scanner.scan import Frames, scan_head

_BLOCK = 1000

SHARED = (
    "age", "nihss", "glucose", "systolic", "male", "atrial_fibrillation", "aspects", "hyperdense",
)  # fmt: skip
"""What `Patient` takes from `Population` as it is."""

SHIFTING = ("MCA", "MCA superior", "MCA inferior", "MCA deep", "ACA")
"""Territories whose infarcts push the midline here; others swell towards the tentorium."""


@dataclass(frozen=True)
class PlannedScan:
    """One scan to be made.

    Parameters
    ----------
    folder : str
        Name of the study's folder; carries nothing about the patient.
    hours : float
        From onset.
    uptake : float
        Net water uptake of the infarct then, 0 to 1.
    uptake_rendered : float
        The same as rendered: times `SimulateConfig.visibility`, at most `RENDERED_UPTAKE`.
    shift_mm : float
        Midline shift by the infarct, at the uptake rendered.
    vendor : int
        Index into `VENDORS`.
    protocol : Protocol
        How it is made.
    bleed : Bleed or None
        Inside the infarct.
    """

    folder: str
    hours: float
    uptake: float
    uptake_rendered: float
    shift_mm: float
    vendor: int
    protocol: Protocol
    bleed: Bleed | None = None


@dataclass(frozen=True)
class Patient:
    """One simulated patient.

    Parameters
    ----------
    patient_id : str
        ``SIM0001`` ...; the order of the numbers tells nothing.
    candidate : int
        Place in the population before sampling by outcome; seeds the anatomy.
    label : int
        1 HT, 0 none: drawn from `risk_population`.
    risk_population : float
        True risk of HT in the population.
    risk, risk_image, risk_clinical : float
        True risk after sampling by outcome; its expectation given the first scan alone, and given
        the record alone (`hemocast.simulate.epidemiology.ceilings`).
    site : str
        Where he or she was treated.
    age, nihss, glucose, systolic : float
        Years, points, mmol/L, mmHg.
    male, atrial_fibrillation : bool
        Yes or no.
    van_swieten : tuple of int
        Grade of leukoaraiosis, anterior and posterior, 0 to 2 each.
    treatment : str
        One of `TREATMENTS`.
    treatment_hours, thrombectomy_hours : float or None
        From onset to thrombolysis and to thrombectomy; None without.
    infarct : Infarct
        Territory, side, volume, pattern.
    aspects : int
        0 to 10.
    hyperdense : bool
        The artery is.
    old_infarct : Infarct or None
        An earlier one; it does not enter the risk.
    follow_up : FollowUp
        Later imaging, with the grade of the bleed.
    scans : tuple of PlannedScan
        All before any bleed, in order of time.
    bleed : PlannedScan or None
        A later scan that shows the bleed, when the config asks for one.
    """

    patient_id: str
    candidate: int
    label: int
    risk_population: float
    risk: float
    risk_image: float
    risk_clinical: float
    site: str
    age: float
    nihss: float
    glucose: float
    systolic: float
    male: bool
    atrial_fibrillation: bool
    van_swieten: tuple[int, int]
    treatment: str
    treatment_hours: float | None
    thrombectomy_hours: float | None
    infarct: Infarct
    aspects: int
    hyperdense: bool
    old_infarct: Infarct | None
    follow_up: FollowUp
    scans: tuple[PlannedScan, ...]
    bleed: PlannedScan | None = None

    @property
    def thrombectomy(self) -> bool:
        """Whether the clot was taken out."""
        return self.thrombectomy_hours is not None

    @property
    def grade(self) -> Grade | None:
        """HI1, HI2, PH1 or PH2; None without HT."""
        return self.follow_up.bleed.grade if self.follow_up.bleed else None

    @property
    def n_scans(self) -> int:
        """Scans in all, the one with the bleed included."""
        return len(self.scans) + (self.bleed is not None)


def draw_cohort(config: SimulateConfig) -> tuple[Patient, ...]:
    """Draw patients until both outcomes have as many as asked: sampling by outcome, as the paper's.

    Outcomes are drawn from the true risk; who is then over either number is left out, so the odds
    in the cohort are the population's times one constant. Numbers are given after shuffling.
    """
    rng = np.random.default_rng(SeedSequence([config.seed, 0]))
    blocks: list[Population] = []
    labels: list[np.ndarray] = []
    chances: list[np.ndarray] = []
    counts = np.zeros(2, dtype=int)
    wanted = np.array([config.n_non, config.n_ht])
    while (counts < wanted).any():
        block = population.draw_population(config, rng, _BLOCK)
        risk = risks(config, block)
        outcome = (rng.random(block.size) < risk).astype(int)
        blocks, labels, chances = [*blocks, block], [*labels, outcome], [*chances, risk]
        counts += np.bincount(outcome, minlength=2)
    label, risk = np.concatenate(labels), np.concatenate(chances)
    kept = np.concatenate([np.flatnonzero(label == k)[: wanted[k]] for k in (0, 1)])
    kept = rng.permutation(kept)
    people = population.join(blocks).take(kept)
    known = {
        "candidate": kept,
        "label": label[kept],
        "risk_population": risk[kept],
        "risk": in_cohort(risk[kept], config),
        "risk_image": in_cohort(image_risks(config, people), config),
        "risk_clinical": in_cohort(clinical_risks(config, people), config),
        **{name: getattr(people, name) for name in SHARED},
    }
    rows = zip(*(column.tolist() for column in known.values()), strict=True)
    return tuple(
        _patient(config, people, i, dict(zip(known, row, strict=True)))
        for i, row in enumerate(rows)
    )


def _patient(config: SimulateConfig, people: Population, i: int, known: dict[str, Any]) -> Patient:
    """Draw what only this patient's own chance decides; `known` are fields of `Patient`."""
    rng = np.random.default_rng(SeedSequence([config.seed, 1, known["candidate"]]))
    volume = float(people.volume_ml[i])
    extra = min(rng.poisson(config.scans_per_patient - 1), 4)
    hours = float(people.hours[i]) + np.concatenate([[0], np.cumsum(rng.gamma(2, 9, extra) + 3)])
    scans = tuple(_plan(config, rng, people, i, float(h)) for h in hours)
    later = draw_follow_up(rng, known["label"], volume, float(hours[-1]))
    thrombectomy = float(people.hours[i]) + rng.uniform(0.5, 3.0)
    patient = Patient(
        **known,
        patient_id=f"SIM{i + 1:04d}",
        site=population.sites_of(config)[people.site[i]].name,
        van_swieten=_two_grades(rng, int(people.van_swieten[i])),
        treatment=population.TREATMENTS[people.treatment[i]],
        treatment_hours=float(people.needle_hours[i]) if people.treatment[i] == 0 else None,
        thrombectomy_hours=float(thrombectomy) if people.thrombectomy[i] else None,
        infarct=Infarct(
            TERRITORIES[people.territory[i]],
            "left" if people.left[i] else "right",
            volume,
            int(people.pattern[i]),
        ),
        old_infarct=_old_infarct(rng) if people.old_infarct[i] else None,
        follow_up=later,
        scans=scans,
    )
    if not (config.bleeds and later.bleed and later.detected_hours):
        return patient
    shown = _plan(config, rng, people, i, later.detected_hours, later.bleed)
    return replace(patient, bleed=shown)


def _two_grades(rng: Generator, total: int) -> tuple[int, int]:
    """Split a van Swieten grade into anterior and posterior; most have it even, or posterior."""
    posterior = min((total + 1) // 2, 2)
    if total % 2 and rng.random() < 0.3:
        posterior -= 1
    return total - posterior, posterior


def _old_infarct(rng: Generator) -> Infarct:
    """Draw an earlier infarct: small, mostly lacunar; ours."""
    territory, largest = (("lacunar", 1.5), ("MCA", 25.0), ("PCA", 15.0), ("cerebellar", 10.0))[
        int(rng.choice(4, p=[0.5, 0.25, 0.15, 0.1]))
    ]
    volume = largest * float(rng.uniform(0.2, 1.0))
    side = "left" if rng.random() < 0.5 else "right"
    return Infarct(territory, side, volume, int(rng.integers(64)))  # type: ignore[arg-type]


def _plan(
    config: SimulateConfig,
    rng: Generator,
    people: Population,
    i: int,
    hours: float,
    bleed: Bleed | None = None,
) -> PlannedScan:
    """Draw one scan of a patient."""
    uptake = float(population.water_uptake(people.uptake_max[i], np.asarray(hours)))
    rendered = min(config.visibility * uptake, RENDERED_UPTAKE)
    pushes = TERRITORIES[people.territory[i]] in SHIFTING
    shift = float(midline_shift_mm(people.volume_ml[i], rendered)) if pushes else 0.0
    site = population.sites_of(config)[people.site[i]]
    vendor = vendors_of(site)[int(rng.integers(len(vendors_of(site))))]
    return PlannedScan(
        folder=rng.bytes(6).hex(),
        hours=hours,
        uptake=uptake,
        uptake_rendered=rendered,
        shift_mm=shift,
        vendor=vendor,
        protocol=draw_protocol(config, site, vendor, rng),
        bleed=bleed,
    )


def patient_head(config: SimulateConfig, patient: Patient, scan: PlannedScan) -> Head:
    """Build a patient's head for one scan: always the same anatomy, swollen and bled as then."""
    rng = np.random.default_rng(SeedSequence([config.seed, 2, patient.candidate]))
    person = Person(patient.age, patient.male, patient.van_swieten, patient.old_infarct)
    edema = Edema(scan.uptake_rendered, scan.shift_mm)
    return build_head(rng, person, Stroke(patient.infarct, edema, patient.hyperdense, scan.bleed))


def noise_rng(config: SimulateConfig, scan: PlannedScan) -> Generator:
    """Return the source of a scan's noise."""
    return np.random.default_rng(SeedSequence([config.seed, 3, int(scan.folder, 16)]))


def scan_patient(config: SimulateConfig, patient: Patient, scan: PlannedScan) -> Frames:
    """Make one of a patient's scans in memory.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    patient : Patient
        Whose.
    scan : PlannedScan
        Which.
    """
    return scan_head(patient_head(config, patient, scan), scan.protocol, noise_rng(config, scan))
