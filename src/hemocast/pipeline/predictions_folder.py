"""The folder of predictions: one model's, added to by every run, with what users wrote kept."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast import files
from hemocast.errors import OutputExists

if TYPE_CHECKING:
    from hemocast.model import Prediction

TABLE = "predictions.csv"
COLUMNS = (
    "case", "participant_id", "scan_id", "probability", "probability_low", "probability_high",
    "threshold", "status", "code", "message", "simulated",
)  # fmt: skip
PREDICTION = "prediction.json"
FILES = ("montage.png", "report.html", "heatmap.nii.gz", PREDICTION)
"""Of every scan; the record comes last, so that a scan with it has all."""
_KIND = "predictions"
_MISSING = "n/a"

Row = dict[str, str]


@dataclass(frozen=True)
class CaseResult:
    """What became of one scan (or of one path in which no scan was found).

    Parameters
    ----------
    case : int
        Which of the given paths it came from, counted from 1. Paths themselves may identify a
        patient and go into no table.
    status : str
        ``"done"``, ``"refused"`` (with the code of the refusal) or ``"failed"`` (our own fault).
    participant_id, scan_id : str or None
        Of a dataset's NIfTI from its name, if that is a pseudonym of ours; of anything else the
        scan_id is a hash of its UIDs or bytes.
    prediction : Prediction or None
        The result when done.
    folder : Path or None
        Where its files lie when done.
    seconds : float
        Time it took.
    simulated : bool
        The scan is simulated, or the model learned from simulated scans: no clinical evidence.
    """

    case: int
    status: str
    code: str = ""
    message: str = ""
    participant_id: str | None = None
    scan_id: str | None = None
    prediction: Prediction | None = None
    folder: Path | None = None
    seconds: float = 0.0
    simulated: bool = False

    def row(self) -> Row:
        """Give its row of the table."""
        row = {
            "case": str(self.case),
            "participant_id": self.participant_id or _MISSING,
            "scan_id": self.scan_id or _MISSING,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "simulated": str(int(self.simulated)),
        }
        if self.prediction is not None:
            names = ("probability", "probability_low", "probability_high", "threshold")
            prediction = self.prediction
            values = (
                prediction.probability,
                *prediction.probability_interval,
                prediction.threshold,
            )
            row |= {name: f"{value:.6f}" for name, value in zip(names, values, strict=True)}
        return row


@dataclass(frozen=True)
class PredictionsFolder:
    """An open folder of predictions.

    Parameters
    ----------
    output : Output
        The folder, claimed.
    earlier : tuple of dict
        Rows of the table that earlier runs, and users, wrote.
    columns : tuple of str
        Of that table, users' own among them.
    """

    output: files.Output
    earlier: tuple[Row, ...]
    columns: tuple[str, ...]

    @classmethod
    @contextmanager
    def open(cls, out: Path, model_hash: str) -> Iterator[PredictionsFolder]:
        """Hold a folder that is new, empty, or one of predictions by the same model.

        Parameters
        ----------
        out : Path
            The folder.
        model_hash : str
            Of the model that is to predict.

        Raises
        ------
        OutputExists
            It holds somebody's files, another model's predictions, or a table without its columns.
        NotWritable, InUse
            It cannot be written to, or another run does.
        """
        older = files.kind_of(out) is None and _is_of_first_version(out)
        files.check_folder(out, _KIND, also=older)
        _refuse_other_model(out, model_hash)
        _read_table(out / TABLE)
        with files.claim(out, _KIND, also=older) as output:
            files.remove_temporary(out)
            yield cls(output, *_read_table(out / TABLE))

    def check(self, scan_id: str) -> None:
        """Refuse a scan whose files somebody changed, before it is predicted."""
        if not self._is_older(scan_id):
            self.output.check(f"{scan_id}/{name}" for name in FILES)

    def write_scan(self, scan_id: str, write: Callable[[Path], None]) -> Path:
        """Put a scan's files in place, each whole, once all are made; return their folder.

        Parameters
        ----------
        scan_id : str
            Names the folder.
        write : callable
            Makes all `FILES` in the folder it is given.
        """
        root = self.output.folder
        # In the system's folder for such things: what a killed run leaves is not among the results.
        with tempfile.TemporaryDirectory(prefix="hemocast-") as made:
            write(Path(made))
            if self._is_older(scan_id):
                self.output.set_aside(scan_id, FILES)
            files.remove_temporary(root / scan_id)
            for name in FILES:
                self.output.write_bytes(f"{scan_id}/{name}", (Path(made) / name).read_bytes())
        return root / scan_id

    def write_table(self, new: Sequence[Row]) -> None:
        """Write the table: earlier rows of other scans, then this run's with users' own cells.

        A scan that could not be written over keeps its earlier row; an earlier row of no scan goes,
        unless a user wrote in it.
        """
        columns = (*self.columns, *(name for name in COLUMNS if name not in self.columns))
        own = [name for name in columns if name not in COLUMNS]
        known = {row["scan_id"]: row for row in self.earlier if row["scan_id"] != _MISSING}
        new = [
            row for row in new if row["code"] != OutputExists.code or row["scan_id"] not in known
        ]
        replaced = {row["scan_id"] for row in new}
        rows = [
            row
            for row in self.earlier
            if (
                row["scan_id"] not in replaced
                if row["scan_id"] in known
                else any(row.get(name) for name in own)
            )
        ]
        for row in new:
            kept = known.get(row["scan_id"], {})
            rows.append({name: kept.get(name, "") for name in own} | row)
        text = io.StringIO()
        # Cells of users go out as they came in, also those that a spreadsheet takes for formulas.
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        files.write_text(self.output.folder / TABLE, text.getvalue())

    def _is_older(self, scan_id: str) -> bool:
        """Whether the first version made the scan's folder."""
        name = f"{scan_id}/{PREDICTION}"
        path = self.output.folder / name
        return not self.output.has_record_of(name) and _record(path).get("scan_id") == scan_id


def _read_table(path: Path) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    if not path.exists():
        return (), ()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            rows, columns = tuple(reader), tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error):
        rows, columns = (), ()
    if "scan_id" not in columns or any(None in row for row in rows):
        raise OutputExists(
            f"{TABLE} in the output folder was changed, so that its rows cannot be kept",
            "a comma-separated table with a column scan_id and no row longer than its header",
            "Move it, or name another folder with --out",
        )
    return rows, columns


def _is_of_first_version(out: Path) -> bool:
    """Tell by the table's columns, and by the record of every scan it calls done."""
    if not (out / TABLE).is_file():
        return False
    try:
        rows, columns = _read_table(out / TABLE)
    except OutputExists:
        return False
    done = [row["scan_id"] for row in rows if row.get("status") == "done"]
    return set(COLUMNS) - {"simulated"} <= set(columns) and all(
        _record(out / Path(scan_id).name / PREDICTION).get("scan_id") == scan_id for scan_id in done
    )


def _refuse_other_model(out: Path, model_hash: str) -> None:
    for path in out.glob(f"*/{PREDICTION}"):
        model = _record(path).get("model")
        if isinstance(model, dict) and model.get("hash") not in (None, model_hash):
            raise OutputExists(
                "The output folder holds predictions of another model",
                "a folder for each model",
                "Name another folder with --out",
            )


def _record(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "schema_version" in content:
            return content
    return {}
