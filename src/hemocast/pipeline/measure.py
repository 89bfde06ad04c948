"""Scans in; a table of signs measured on each out. No network but the tissue map's is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.config import PrepareConfig
from hemocast.dataset.ingest.sources import Candidate
from hemocast.dataset.pseudonym import load_key
from hemocast.errors import HemocastError, NoSpace, NotCovered, NotWritable
from hemocast.faults import internal_error
from hemocast.files import claim
from hemocast.pipeline.predictions.cases import Case
from hemocast.pipeline.predictions.names import Names, scans_of
from hemocast.pipeline.predictions.table import Form, GrowingTable, Row
from hemocast.pipeline.sign_cells import SIGNS, sign_cells
from hemocast.signs.measured import Found, Signs, measure_signs
from hemocast.tables import MISSING

if TYPE_CHECKING:
    from hemocast.volume import Volume

KIND = "measurements"
TABLE = "measurements.csv"
COLUMNS = ("case", "participant_id", "scan_id", *SIGNS, "slice_mm", "status", "code", "message",
           "doubts", "not_measured", "simulated")  # fmt: skip
_FORM = Form(COLUMNS, ("scan_id",))


@dataclass(frozen=True)
class MeasuredScan:
    """What became of one scan: "done", "refused" with its code, or "failed" (our own fault)."""

    case: int
    status: str
    code: str = ""
    message: str = ""
    participant_id: str | None = None
    scan_id: str | None = None
    measured: Signs | None = None
    simulated: bool = False

    def row(self) -> Row:
        """Give its row of the table."""
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
        return (
            row
            | sign_cells(found)
            | {
                "slice_mm": f"{found.slice_mm:.3f}",
                "doubts": "; ".join(found.doubts),
                "not_measured": "; ".join(f"{name}: {why}" for name, why in found.missing.items()),
            }
        )


def measure(volume: Volume) -> Signs:
    """Measure one scan.

    Raises
    ------
    HemocastError
        There is no brain, or it cannot be set upright.
    """
    from hemocast.anatomy import align, find_brain
    from hemocast.prepare import prepare

    brain = find_brain(volume)
    pose = align(volume, brain)
    settings = PrepareConfig()
    try:
        stack = prepare(volume, settings, brain, pose)
    except NotCovered:
        stack = None
    return measure_signs(Found(volume, brain, pose, stack, settings))


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
