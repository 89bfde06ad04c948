"""Risk -> patient -> head -> scanner -> DICOM, with the true risk known."""

from hemocast.simulate.anatomy.head import Infarct
from hemocast.simulate.cohort import Truth, read_truth, simulate_cohort
from hemocast.simulate.disease.bleed import Bleed
from hemocast.simulate.epidemiology.patients import Patient, PlannedScan, draw_cohort, scan_patient
from hemocast.simulate.presets import DEMO, PRACTICE, PRESETS, TINY
from hemocast.simulate.scanner.detector import Protocol
from hemocast.simulate.write.study import MARK, render_head, write_patient

__all__ = [
    "DEMO",
    "MARK",
    "PRACTICE",
    "PRESETS",
    "TINY",
    "Bleed",
    "Infarct",
    "Patient",
    "PlannedScan",
    "Protocol",
    "Truth",
    "draw_cohort",
    "read_truth",
    "render_head",
    "scan_patient",
    "simulate_cohort",
    "write_patient",
]
