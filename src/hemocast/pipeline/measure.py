"""Scans in; a table of signs measured on each and masks of acute infarcts out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hemocast.dataset.ingest.sources import Candidate
from hemocast.dataset.pseudonym import load_key
from hemocast.errors import HemocastError, NoSpace, NotWritable
from hemocast.faults import internal_error
from hemocast.files import Output, claim
from hemocast.pipeline.predictions.cases import Case
from hemocast.pipeline.predictions.names import Names, scans_of
from hemocast.pipeline.predictions.table import Form, GrowingTable, Row
from hemocast.pipeline.scan_signs import measure_scan, write_infarct
from hemocast.pipeline.sign_cells import SIGNS, measured_cells
from hemocast.signs.measured import Found, Signs
from hemocast.tables import MISSING

KIND = "measurements"
TABLE, MASKS = "measurements.csv", "masks"
SKIPPED = "skipped"
COLUMNS = ("case", "participant_id", "scan_id", *SIGNS, "slice_mm", "status", "code", "message",
           "doubts", "not_measured", "simulated")  # fmt: skip
_FORM = Form(COLUMNS, ("scan_id",))


@dataclass(frozen=True)
class MeasuredScan:
    """What became of one scan: "done", "skipped", "refused" with its code, or "failed" (ours)."""

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
        return row | measured_cells(found) | {"doubts": "; ".join(found.doubts)}


def measure_cases(
    cases: Sequence[Case], out: Path, *, key: Path | None = None, resume: bool = False
) -> Iterator[MeasuredScan]:
    """Measure every scan, one after the other; the table is whole after each.

    Parameters
    ----------
    cases : sequence of Case
        From `cases_of`.
    out : Path
        Folder of ``measurements.csv`` and of ``masks``, new or of earlier runs: rows of other scans
        and columns of the user's stay.
    key : Path, optional
        The project's key: scans get the names that ``hemocast ingest`` gives them.
    resume : bool
        Skip scans that were measured there before.

    Yields
    ------
    MeasuredScan
        One for every scan; a bad path costs that one alone.

    Raises
    ------
    OutputExists, NotWritable, InUse, UsageError, NoSpace
        The folder cannot be used.
    """
    with claim(out, KIND) as output:
        table = GrowingTable(out / TABLE, _FORM)
        names = Names(out, load_key(key, out) if key else None)
        if names.keyed:
            names.plan(cases)
        names.save()
        for case in cases:
            for result in _measured(case, names, _Kept(output, table, resume)):
                if result.status != SKIPPED:
                    table.add(result.row())
                yield result
        table.close()


@dataclass(frozen=True)
class _Kept:
    """The folder, its table, and whether what was done before is left alone."""

    output: Output
    table: GrowingTable
    resume: bool

    def has(self, scan_id: str) -> bool:
        """Whether a scan was measured before and is to stay so."""
        row = self.table.earlier_of(scan_id)
        return self.resume and row is not None and row.get("status") == "done"

    def write_mask(self, found: Found, signs: Signs, scan_id: str) -> None:
        """Keep the infarct's mask, where there are frames to outline it on."""
        if signs.frames is None:
            return
        with tempfile.TemporaryDirectory(prefix="hemocast-") as made:
            path = Path(made) / f"{scan_id}.nii.gz"
            write_infarct(found, signs, path)
            self.output.write_bytes(f"{MASKS}/{path.name}", path.read_bytes())


def _measured(case: Case, names: Names, kept: _Kept) -> Iterator[MeasuredScan]:
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
            called = patient, scan_id = names.of(case, scan)
            if kept.has(scan_id):
                yield MeasuredScan(case.number, SKIPPED, "", "", patient, scan_id)
                continue
            volume = scan.read()
            simulated = volume.source.simulated
            found, signs = measure_scan(volume)
            kept.write_mask(found, signs, scan_id)
            yield MeasuredScan(case.number, "done", "", "", *called, signs, simulated=simulated)
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
