"""The folder of predictions: one model's, added to by every run, with what users wrote kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from hemocast import files
from hemocast.dataset.pseudonym import is_unkeyed, load_key, read_key, scan_name
from hemocast.dataset.scan_id import ALL
from hemocast.errors import OutputExists
from hemocast.model.prediction import HEATMAP_UNIT
from hemocast.pipeline.predictions.bags import Bags
from hemocast.pipeline.predictions.names import Names, named_otherwise
from hemocast.pipeline.predictions.scores import SCORE_TABLE, SCORES
from hemocast.pipeline.predictions.table import Form, GrowingTable, Row
from hemocast.pipeline.sign_cells import SIGNS
from hemocast.tables import MISSING

if TYPE_CHECKING:
    from hemocast.model import Calibration, Prediction
    from hemocast.signs.measured import Signs

TABLE, LINKAGE, SIGN_TABLE = "predictions.csv", "linkage.csv", "signs.csv"
COLUMNS = (
    "case", "participant_id", "scan_id", "probability", "probability_low", "probability_high",
    "threshold", "label_set", "logit", "status", "code", "message", "flags", "simulated",
)  # fmt: skip
_RESULTS = Form(COLUMNS, ("scan_id",), shared=(ALL, "participant_id"))
_SIGNS = Form(
    ("participant_id", "scan_id", *SIGNS, "slice_mm", "not_measured", "simulated"), ("scan_id",)
)
_PLACES = Form(("case", "path", "scan_id"), ("path", "scan_id"), private=True, quoted=True)
PREDICTION, PAGE, PAGE_PDF = "prediction.json", "report.html", "report.pdf"
FILES = ("montage.png", PAGE, PAGE_PDF, "heatmap.nii.gz", "infarct.nii.gz", PREDICTION)
"""Of every scan, the heatmap only where the model has one, the PDF where it is asked for; of a
refused scan the page alone. The record comes last, so that a scan with it has all."""
_KIND = "predictions"


@dataclass(frozen=True)
class CaseResult:
    """What became of one scan (or of one path in which no scan was found).

    Parameters
    ----------
    case : int
        Which of the given paths it came from, counted from 1. Paths themselves may identify a
        patient and go into no table but the linkage.
    status : str
        ``"done"``, ``"refused"`` (with the code of the refusal), ``"failed"`` (our own fault), or
        ``"skipped"``: an earlier run had done it.
    participant_id, scan_id : str or None
        As `hemocast.pipeline.predictions.names.Names` gives them.
    prediction : Prediction or None
        The result when done.
    folder : Path or None
        Where its files lie when done.
    seconds : float
        Time it took.
    simulated : bool
        The scan is simulated, or the model learned from simulated scans: no clinical evidence.
    signs : mapping of str to str, optional
        What was measured on it, as cells.
    measured : Signs, optional
        The same as values.
    scores : tuple of Row
        Published scores of its patient; empty where no clinical table knows the patient.
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
    signs: Mapping[str, str] | None = None
    measured: Signs | None = None
    scores: tuple[Row, ...] = ()

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
        if self.prediction is not None:
            names = ("probability", "probability_low", "probability_high", "threshold")
            prediction = self.prediction
            values = (
                prediction.probability,
                *prediction.probability_interval,
                prediction.threshold,
            )
            row |= {name: f"{value:.6f}" for name, value in zip(names, values, strict=True)}
            row["logit"] = f"{prediction.logit:.8g}"
            row["label_set"] = prediction.label_set_text
            row["flags"] = "; ".join(" ".join(flag.split()) for flag in prediction.flags)
        return row

    def sign_row(self) -> Row | None:
        """Give its row of the table of signs; None where none were measured."""
        if self.signs is None:
            return None
        return {
            "participant_id": self.participant_id or MISSING,
            "scan_id": self.scan_id or MISSING,
            **self.signs,
            "simulated": str(int(self.simulated)),
        }


@dataclass(frozen=True)
class PredictionsFolder:
    """An open folder of predictions.

    Parameters
    ----------
    output : Output
        The folder, claimed.
    model_hash : str
        Of the model whose predictions they are.
    names : Names
        What its scans are called.
    table, linkage : GrowingTable
        The results, and, for its owner only, which path each scan came from.
    bags : Bags
        The scans of every patient.
    signs : GrowingTable
        What was measured on them.
    scores : GrowingTable
        Published scores, a row a score.
    """

    output: files.Output
    model_hash: str
    names: Names
    table: GrowingTable
    linkage: GrowingTable
    bags: Bags
    signs: GrowingTable
    scores: GrowingTable

    @classmethod
    @contextmanager
    def open(
        cls,
        out: Path,
        model_hash: str,
        key: Path | bytes | None = None,
        prevalence: float | None = None,
    ) -> Iterator[PredictionsFolder]:
        """Hold a folder that is new, empty, or one of predictions by the same model.

        Parameters
        ----------
        out : Path
            The folder.
        model_hash : str
            Of the model that is to predict.
        key : Path, bytes or None
            The project's key or its file, which is made where there is none; None: the folder's
            own.
        prevalence : float, optional
            What the probabilities assume; None: whatever those there do.

        Raises
        ------
        OutputExists
            It holds somebody's files, predictions by another model or at another prevalence, or a
            table without its columns.
        NotWritable, InUse
            It cannot be written to, or another run does.
        UsageError
            The scans there are named by another key, or the key cannot be read.
        """
        older = files.kind_of(out) is None and _is_of_first_version(out)
        files.check_folder(out, _KIND, also=older)
        _refuse_other(out, model_hash, prevalence)
        table, _ = _tables(out)
        secret = read_key(key, out) if isinstance(key, Path) else key
        # A key that is still to be made has named nobody.
        _names(out, secret or token_bytes(32) if key else None, table)
        with files.claim(out, _KIND, also=older) as output:
            files.remove_temporary(out)
            table, linkage = _tables(out)
            names = _names(out, load_key(key, out) if isinstance(key, Path) else key, table)
            names.save()
            if not names.keyed and _unkeyed(table):
                _key_scans(output, names.key, table)
                table, linkage = _tables(out)
            signs = GrowingTable(out / SIGN_TABLE, _SIGNS)
            scores = GrowingTable(out / SCORE_TABLE, SCORES)
            bags = Bags(table.earlier)
            yield cls(output, model_hash, names, table, linkage, bags, signs, scores)
            table.close()
            signs.close()
            scores.close()
            linkage.close()

    def is_done(self, scan_id: str, *, pdf: bool = False) -> bool:
        """Whether an earlier run predicted a scan, in today's unit, and all its files are there.

        Parameters
        ----------
        scan_id : str
            Of the scan.
        pdf : bool
            The page as PDF is one of them.
        """
        row = self.table.earlier_of(scan_id)
        record = _record(self.output.folder / scan_id / PREDICTION)
        return (
            row is not None
            and row.get("status") == "done"
            and record.get("scan_id") == scan_id
            and _model_hash(record) == self.model_hash
            and record.get("heatmap_unit") == HEATMAP_UNIT
            and (not pdf or (self.output.folder / scan_id / PAGE_PDF).is_file())
        )

    def is_predicted(self, scan_id: str) -> bool:
        """Whether a prediction of a scan lies here, of whatever run."""
        return (self.output.folder / scan_id / PREDICTION).is_file()

    def check(self, scan_id: str) -> None:
        """Refuse a scan whose files somebody changed, before it is predicted."""
        if not self._is_older(scan_id):
            self.output.check(f"{scan_id}/{name}" for name in FILES)

    def write_scan(self, scan_id: str, made: Mapping[str, bytes]) -> Path:
        """Put a scan's files in place, each whole; return their folder.

        A file of an earlier run that this one does not make, such as the PDF of a page that is
        replaced, goes first.

        Parameters
        ----------
        scan_id : str
            Names the folder.
        made : mapping of str to bytes
            What each of `FILES` holds that there is.
        """
        root = self.output.folder
        contents = {name: made[name] for name in FILES if name in made}
        if self._is_older(scan_id):
            self.output.set_aside(scan_id, FILES)
        files.remove_temporary(root / scan_id)
        self.output.remove(f"{scan_id}/{name}" for name in FILES if name not in contents)
        for name, content in contents.items():
            self.output.write_bytes(f"{scan_id}/{name}", content)
        return root / scan_id

    def add(self, result: CaseResult, path: Path) -> None:
        """Add a result to the table, and the path it came from to the linkage.

        A scan that was done before, or could not be written over, keeps its earlier row.
        """
        place = str(path).encode("unicode_escape" if _is_odd(path) else "utf-8").decode()
        place = "'" + place if place.startswith(("=", "+", "-", "@")) else place  # a formula
        scan_id = result.scan_id or MISSING
        self.linkage.add({"case": str(result.case), "path": place, "scan_id": scan_id})
        kept = result.status == "skipped" or (
            result.code == OutputExists.code and self.table.earlier_of(scan_id)
        )
        if not kept:
            row = result.row()
            self.table.add(row)
            self.bags.add(row)
            if (measured := result.sign_row()) is not None:
                self.signs.add(measured)
            for row in result.scores:
                self.scores.add(row)

    def add_bag(self, patient: str | None, calibration: Calibration) -> None:
        """Say in the table what all scans of a patient with several say together."""
        if row := self.bags.row_of(patient or MISSING, calibration):
            self.table.put(row)

    def _is_older(self, scan_id: str) -> bool:
        """Whether the first version made the scan's folder."""
        name = f"{scan_id}/{PREDICTION}"
        path = self.output.folder / name
        return not self.output.has_record_of(name) and _record(path).get("scan_id") == scan_id


def _tables(out: Path) -> tuple[GrowingTable, GrowingTable]:
    return GrowingTable(out / TABLE, _RESULTS), GrowingTable(out / LINKAGE, _PLACES)


def _names(out: Path, key: bytes | None, table: GrowingTable) -> Names:
    names = Names(out, key)
    if names.keyed and names.is_new and _unkeyed(table):
        raise named_otherwise("without a key", "no key")
    return names


def _unkeyed(table: GrowingTable) -> list[str]:
    """Names of scans that the version before made by a hash without a key."""
    return [row["scan_id"] for row in table.earlier if is_unkeyed(row["scan_id"])]


def _key_scans(output: files.Output, key: bytes, table: GrowingTable) -> None:
    """Give pseudonyms to scans that the version before named by a hash without a key.

    The table comes last, so that a run that was killed halfway is gone on with.
    """
    new = {name: scan_name(key, name) for name in _unkeyed(table)}
    for name in new:
        for place in (output.folder / name, output.folder / new[name]):
            for path in (*place.rglob(PREDICTION), *place.rglob(PAGE)):
                text = path.read_bytes()
                if name.encode() in text:
                    known = output.wrote(path)
                    files.write_bytes(path, text.replace(name.encode(), new[name].encode()))
                    if known:
                        output.adopt([path.relative_to(output.folder).as_posix()])
    output.rename_folders(new)
    for row in table.earlier:
        row["scan_id"] = new.get(row["scan_id"], row["scan_id"])
    table.write()


def _is_odd(path: Path) -> bool:
    """Whether a path holds what no line of a text can."""
    return any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in str(path))


def _is_of_first_version(out: Path) -> bool:
    """Tell by the table's columns, and by the record of every scan it calls done."""
    if not (out / TABLE).is_file():
        return False
    try:
        table = GrowingTable(out / TABLE, _RESULTS)
    except OutputExists:
        return False
    done = [row["scan_id"] for row in table.earlier if row.get("status") == "done"]
    return set(COLUMNS) - {"simulated", "flags", "label_set", "logit"} <= set(table.found) and all(
        _record(out / Path(scan_id).name / PREDICTION).get("scan_id") == scan_id for scan_id in done
    )


def _refuse_other(out: Path, model_hash: str, prevalence: float | None) -> None:
    for path in out.glob(f"*/{PREDICTION}"):
        record = _record(path)
        if _model_hash(record) not in (None, model_hash):
            raise OutputExists(
                "The output folder holds predictions of another model",
                "a folder for each model",
                "Name another folder with --out",
            )
        # Records of the version before name none.
        there = record.get("prevalence", prevalence)
        if prevalence is not None and there != prevalence:
            raise OutputExists(
                f"The output folder holds predictions for a prevalence of {there}",
                f"a folder for each; this time it is {prevalence:g}",
                "Name another folder with --out",
            )


def _model_hash(record: dict[str, Any]) -> object:
    model = record.get("model")
    return model.get("hash") if isinstance(model, dict) else None


def _record(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and "schema_version" in content:
            return content
    return {}
