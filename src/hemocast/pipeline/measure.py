"""Scans in; a table of signs measured on each out. No network but the tissue map's is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.ingest.sources import Candidate
from hemocast.dataset.pseudonym import load_key
from hemocast.errors import HemocastError, NoSpace, NotWritable
from hemocast.faults import internal_error
from hemocast.files import claim
from hemocast.pipeline.predictions.cases import Case
from hemocast.pipeline.predictions.names import Names, scans_of
from hemocast.pipeline.predictions.table import Form, GrowingTable, Row
from hemocast.signs import (
    Calcification,
    Fluid,
    MidlineShift,
    measure_calcification,
    measure_fluid,
    measure_midline,
)
from hemocast.tables import MISSING

if TYPE_CHECKING:
    from hemocast.volume import Volume

KIND = "measurements"
TABLE = "measurements.csv"
COLUMNS = (
    "case", "participant_id", "scan_id", "midline_shift_mm", "midline_shift_low_mm",
    "midline_shift_high_mm", "midline_shift_to", "fluid_share", "calcification_ml",
    "calcifications", "calcification_slice", "slice_mm", "status", "code", "message", "doubts",
    "simulated",
)  # fmt: skip
_FORM = Form(COLUMNS, ("scan_id",))


@dataclass(frozen=True)
class Measurements:
    """Signs of one scan; None where one cannot be measured.

    Parameters
    ----------
    midline : MidlineShift or None
        At the third ventricle.
    fluid : Fluid
        Share of fluid.
    calcification : Calcification or None
        Inside the brain.
    slice_mm : float
        Distance of the slices that were measured.
    doubts : tuple of str
        What was accepted but may matter.
    """

    midline: MidlineShift | None
    fluid: Fluid
    calcification: Calcification | None
    slice_mm: float
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class MeasuredScan:
    """What became of one scan: "done", "refused" with its code, or "failed" (our own fault)."""

    case: int
    status: str
    code: str = ""
    message: str = ""
    participant_id: str | None = None
    scan_id: str | None = None
    measured: Measurements | None = None
    simulated: bool = False

    def row(self) -> Row:
        """Give its row of the table; mm are without a sign, the side stands apart."""
        row = {
            "case": str(self.case),
            "participant_id": self.participant_id or MISSING,
            "scan_id": self.scan_id or MISSING,
            "status": self.status,
            "code": self.code,
            "message": " ".join(self.message.split()),
            "simulated": str(int(self.simulated)),
        }
        found = self.measured
        if found is None:
            return row
        row |= {
            "fluid_share": f"{found.fluid.share:.4f}",
            "slice_mm": f"{found.slice_mm:.3f}",
            "doubts": "; ".join(found.doubts),
        }
        if found.midline is not None:
            size, spread = abs(found.midline.shift_mm), found.midline.limits_mm
            row |= {
                "midline_shift_mm": f"{size:.1f}",
                "midline_shift_low_mm": f"{max(size - spread, 0):.1f}",
                "midline_shift_high_mm": f"{size + spread:.1f}",
                "midline_shift_to": found.midline.side,
            }
        if found.calcification is not None:
            row |= {
                "calcification_ml": f"{found.calcification.volume_ml:.3f}",
                "calcifications": str(found.calcification.places),
                "calcification_slice": str(found.calcification.slice_number or ""),
            }
        return row


def measure(volume: Volume) -> Measurements:
    """Measure one scan.

    Raises
    ------
    HemocastError
        There is no brain, or it cannot be set upright.
    """
    from hemocast.anatomy import align, find_brain

    brain = find_brain(volume)
    alignment = align(volume, brain)
    return Measurements(
        midline=measure_midline(volume, alignment),
        fluid=measure_fluid(volume, brain),
        calcification=measure_calcification(volume, brain),
        slice_mm=volume.spacing[0],
        doubts=(*brain.doubts, *alignment.doubts),
    )


def measure_cases(
    cases: Sequence[Case], out: Path, *, key: Path | None = None
) -> Iterator[MeasuredScan]:
    """Measure every scan, one after the other; the table is whole after each.

    Parameters
    ----------
    cases : sequence of Case
        From `cases_of`.
    out : Path
        Folder of ``measurements.csv``, new or of earlier runs: rows of other scans and columns of
        the user's stay.
    key : Path, optional
        The project's key: scans get the names that ``hemocast ingest`` gives them.

    Yields
    ------
    MeasuredScan
        One for every scan; a bad path costs that one alone.

    Raises
    ------
    OutputExists, NotWritable, InUse, UsageError, NoSpace
        The folder cannot be used.
    """
    with claim(out, KIND):
        table = GrowingTable(out / TABLE, _FORM)
        names = Names(out, load_key(key, out) if key else None)
        if names.keyed:
            names.plan(cases)
        names.save()
        for case in cases:
            for result in _measured(case, names):
                table.add(result.row())
                yield result
        table.close()


def _measured(case: Case, names: Names) -> Iterator[MeasuredScan]:
    scans = scans_of(case, names)
    while True:
        called: tuple[str | None, str | None] = (case.participant_id, case.scan_id)
        simulated = False
        try:
            scan: Candidate | HemocastError | None = next(scans, None)
            if scan is None:
                return
            if isinstance(scan, HemocastError):
                raise scan
            called = names.of(case, scan)
            volume = scan.read()
            simulated = volume.source.simulated
            yield MeasuredScan(
                case.number, "done", "", "", *called, measure(volume), simulated=simulated
            )
        except (NoSpace, NotWritable):
            raise
        except HemocastError as error:
            yield MeasuredScan(
                case.number, "refused", error.code, str(error), *called, simulated=simulated
            )
        except Exception as error:
            fault = internal_error(error)
            yield MeasuredScan(
                case.number, "failed", fault.code, str(fault), *called, simulated=simulated
            )
