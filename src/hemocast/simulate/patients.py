"""A cohort before anything is rendered: who the patients are and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, cast

import numpy as np
from numpy.random import Generator, SeedSequence

from hemocast.config import SimulateConfig
from hemocast.simulate.detector import Protocol
from hemocast.simulate.head import Head, Infarct, build_head
from hemocast.simulate.lesion import Territory
from hemocast.simulate.risk import (
    TREATMENTS,
    Population,
    draw_population,
    image_risks,
    in_cohort,
    risks,
    water_uptake,
)
from hemocast.simulate.scanner import Frames, scan_head
from hemocast.simulate.vendors import VENDORS

CAPACITY_ML = {"lacunar": 1.5, "cerebellar": 45.0, "ACA": 70.0, "PCA": 80.0}
"""Largest infarct drawn for a territory, mL; ours. Only the MCA's goes beyond."""

TERRITORY_SHARES = {"MCA": 0.68, "PCA": 0.13, "ACA": 0.08, "cerebellar": 0.11}
"""Shares among infarcts that any of them could hold; ours, MCA most."""


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
        The same as rendered: times `SimulateConfig.visibility`, at most 0.6.
    vendor : int
        Index into `VENDORS`.
    protocol : Protocol
        How it is made.
    blood_ml : float
        Bleed inside the infarct, mL.
    """

    folder: str
    hours: float
    uptake: float
    uptake_rendered: float
    vendor: int
    protocol: Protocol
    blood_ml: float = 0.0


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
    risk : float
        True risk after sampling by outcome.
    risk_image : float
        Expected `risk` given volume, first water uptake and leukoaraiosis alone.
    age, nihss, glucose, systolic : float
        Years, points, mmol/L, mmHg.
    male, atrial_fibrillation, leukoaraiosis : bool
        Leukoaraiosis means moderate or severe.
    treatment : str
        One of `TREATMENTS`.
    infarct : Infarct
        Territory, side, volume.
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
    age: float
    nihss: float
    glucose: float
    systolic: float
    male: bool
    atrial_fibrillation: bool
    leukoaraiosis: bool
    treatment: str
    infarct: Infarct
    scans: tuple[PlannedScan, ...]
    bleed: PlannedScan | None = None

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
        block = draw_population(config, rng, 1000)
        risk = risks(config, block)
        outcome = (rng.random(block.size) < risk).astype(int)
        blocks, labels, chances = [*blocks, block], [*labels, outcome], [*chances, risk]
        counts += np.bincount(outcome, minlength=2)
    label, risk = np.concatenate(labels), np.concatenate(chances)
    people = Population(
        **{f.name: np.concatenate([getattr(b, f.name) for b in blocks]) for f in fields(Population)}
    )
    kept = np.concatenate([np.flatnonzero(label == k)[: wanted[k]] for k in (0, 1)])
    kept = rng.permutation(kept)
    chosen = Population(**{f.name: getattr(people, f.name)[kept] for f in fields(Population)})
    cohort_risk = in_cohort(risk[kept], config)
    image = in_cohort(image_risks(config, chosen), config)
    return tuple(
        _patient(config, chosen, i, int(kept[i]), int(label[kept[i]]),
                 (float(risk[kept[i]]), float(cohort_risk[i]), float(image[i])))
        for i in range(len(kept))
    )  # fmt: skip


def _patient(
    config: SimulateConfig,
    people: Population,
    i: int,
    candidate: int,
    label: int,
    chances: tuple[float, float, float],
) -> Patient:
    rng = np.random.default_rng(SeedSequence([config.seed, 1, candidate]))
    volume = float(people.volume_ml[i])
    extra = min(rng.poisson(config.scans_per_patient - 1), 4)
    hours = float(people.hours[i]) + np.concatenate([[0], np.cumsum(rng.gamma(2, 9, extra) + 3)])
    uptakes = water_uptake(people.uptake_max[i : i + 1], hours)
    scans = tuple(
        _plan(config, rng, float(h), float(u)) for h, u in zip(hours, uptakes, strict=True)
    )
    patient = Patient(
        patient_id=f"SIM{i + 1:04d}",
        candidate=candidate,
        label=label,
        risk_population=chances[0],
        risk=chances[1],
        risk_image=chances[2],
        age=float(people.age[i]),
        nihss=float(people.nihss[i]),
        glucose=float(people.glucose[i]),
        systolic=float(people.systolic[i]),
        male=bool(people.male[i]),
        atrial_fibrillation=bool(people.atrial_fibrillation[i]),
        leukoaraiosis=bool(people.leukoaraiosis[i]),
        treatment=TREATMENTS[people.treatment[i]],
        infarct=_draw_infarct(rng, volume),
        scans=scans,
    )
    if not (config.bleeds and label):
        return patient
    after = float(hours[-1]) + 24.0
    later = _plan(
        config, rng, after, float(water_uptake(people.uptake_max[i : i + 1], np.array([after]))[0])
    )
    blood = float(np.clip(volume * rng.uniform(0.05, 0.4), 1.0, 60.0))
    return replace(patient, bleed=replace(later, blood_ml=min(blood, 0.8 * volume)))


def _draw_infarct(rng: Generator, volume_ml: float) -> Infarct:
    """Draw territory and side of an infarct of given volume."""
    side: Literal["left", "right"] = "left" if rng.random() < 0.5 else "right"
    if volume_ml <= CAPACITY_ML["lacunar"]:
        return Infarct("lacunar", side, volume_ml)
    able = {
        name: share
        for name, share in TERRITORY_SHARES.items()
        if volume_ml <= CAPACITY_ML.get(name, np.inf)
    }
    names = list(able)
    chance = np.array(list(able.values()))
    name = names[int(rng.choice(len(names), p=chance / chance.sum()))]
    return Infarct(cast("Territory", name), side, volume_ml)


def _plan(config: SimulateConfig, rng: Generator, hours: float, uptake: float) -> PlannedScan:
    """Draw one scan's scanner, pose and settings."""
    vendor = int(rng.integers(len(VENDORS)))
    turns = np.clip(rng.normal(0, [4.5, 3.0, 4.5]), -10, 10)
    shift = rng.normal(0, [4.0, 3.0, 3.0])
    protocol = Protocol(
        matrix=config.matrix,
        field_mm=config.field_mm,
        slice_mm=config.slice_mm,
        rotation_degrees=(float(turns[0]), float(turns[1]), float(turns[2])),
        shift_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
        margin_mm=(float(rng.uniform(2, 10)), float(rng.uniform(0, 7))),
        tilt_degrees=float(rng.uniform(5, 20)) if rng.random() < config.tilt_fraction else 0.0,
        blur_mm=VENDORS[vendor].blur_mm,
        noise_hu=float(rng.uniform(config.noise_low_hu, config.noise_high_hu)),
        holder=VENDORS[vendor].holder,
    )
    return PlannedScan(
        folder=rng.bytes(6).hex(),
        hours=hours,
        uptake=uptake,
        uptake_rendered=min(config.visibility * uptake, 0.6),
        vendor=vendor,
        protocol=protocol,
    )


def patient_head(config: SimulateConfig, patient: Patient, blood_ml: float = 0.0) -> Head:
    """Build a patient's head: always the same one, with a bleed or without."""
    rng = np.random.default_rng(SeedSequence([config.seed, 2, patient.candidate]))
    return build_head(
        rng,
        age=patient.age,
        male=patient.male,
        leukoaraiosis=0.7 if patient.leukoaraiosis else 0.15,
        infarct=patient.infarct,
        blood_ml=blood_ml,
    )


def scan_patient(
    config: SimulateConfig, patient: Patient, scan: PlannedScan, head: Head | None = None
) -> Frames:
    """Make one of a patient's scans in memory.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    patient : Patient
        Whose.
    scan : PlannedScan
        Which.
    head : Head or None
        `patient_head`, if it is at hand already.
    """
    rng = np.random.default_rng(SeedSequence([config.seed, 3, int(scan.folder, 16)]))
    head = head or patient_head(config, patient, scan.blood_ml)
    return scan_head(head, scan.protocol, water_uptake=scan.uptake_rendered, rng=rng)
