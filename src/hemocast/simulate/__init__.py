"""Risk -> patient -> head -> scanner -> DICOM, with the true risk known."""

from hemocast.simulate.cohort import Truth, read_truth, simulate_cohort, simulate_maps
from hemocast.simulate.disease.bleed import Bleed
from hemocast.simulate.disease.head import Edema, Head, Infarct, Person, Stroke, build_head
from hemocast.simulate.epidemiology.patients import Patient, PlannedScan, draw_cohort, scan_patient
from hemocast.simulate.presets import DEMO, PRACTICE, PRESETS, TINY
from hemocast.simulate.scanner.detector import Protocol
from hemocast.simulate.scanner.render import render_head
from hemocast.simulate.scanner.scan import scan_head
from hemocast.simulate.write.study import MARK, write_patient

__all__ = [
    "DEMO",
    "MARK",
    "PRACTICE",
    "PRESETS",
    "TINY",
    "Bleed",
    "Edema",
    "Head",
    "Infarct",
    "Patient",
    "Person",
    "PlannedScan",
    "Protocol",
    "Stroke",
    "Truth",
    "build_head",
    "draw_cohort",
    "read_truth",
    "render_head",
    "scan_head",
    "scan_patient",
    "simulate_cohort",
    "simulate_maps",
    "write_patient",
]
