"""A dataset folder in; ``quality/report.html``, the page that shows every scan of it, out."""

from __future__ import annotations

import csv
import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hemocast.dataset import Dataset
from hemocast.dataset.layout import nifti_of
from hemocast.errors import DatasetError
from hemocast.files import write_text
from hemocast.left_out import LeftOutCode
from hemocast.report.quality.content import LeftOut, Quality, QualityScan, RefusedStudy
from hemocast.report.quality.page import quality_page
from hemocast.report.quality.thumbnails import make_thumbnail
from hemocast.tables import MISSING

Progress = Callable[[int, int], None]

# A dataset may come from elsewhere: nothing in it makes the page larger than this.
MOST_TEXT = 400
MOST_TEXTS = 30
MOST_SIDECAR_BYTES = 2**20
_OLD_DOUBT = "the scan is simulated: it shows no patient"


def write_quality_report(
    dataset: Dataset, *, workers: int = 1, progress: Progress | None = None
) -> Path:
    """Write the quality report of a dataset.

    Scans are read one by one, so that memory does not grow with their voxels. What of the dataset
    is missing or damaged is shown as that, and costs nothing else of the page.

    Parameters
    ----------
    dataset : Dataset
        As `hemocast.dataset.ingest.run.ingest` writes it.
    workers : int
        Processes that draw the pictures.
    progress : callable, optional
        Called with (done, total) scans.

    Returns
    -------
    Path
        ``quality/report.html`` in the dataset. The same dataset gives the same bytes.

    Raises
    ------
    NothingThere, DatasetError
        The dataset's folder does not exist, or is somebody else's.
    """
    from joblib import Parallel, delayed

    dataset.refuse_foreign()
    faults: list[str] = []
    sidecars = dataset.sidecars()
    contents = [_sidecar(path, faults) for path in sidecars]
    scans = _with_hours(
        [_scan(path, content) for path, content in zip(sidecars, contents, strict=True)],
        contents,
    )
    pictures = Parallel(n_jobs=workers, return_as="generator", pre_dispatch=2 * workers)(
        delayed(make_thumbnail)(nifti_of(path), simulated=scan.simulated)
        for path, scan in zip(sidecars, scans, strict=True)
    )
    shown: list[QualityScan] = []
    for scan, picture in zip(scans, pictures, strict=True):
        simulated = scan.simulated or picture.simulated
        shown.append(replace(scan, picture=picture, simulated=simulated))
        if progress:
            progress(len(shown), len(scans))
    refused = [
        RefusedStudy(
            participant_id=_text(row.get("participant_id")),
            code=_text(row.get("code")),
            message=_text(row.get("message")),
            study=_text(row.get("study")),
            source=row.get("study") == MISSING,
        )
        for row in _rows(dataset.root / "quality" / "refused.tsv", faults)
    ]
    path = dataset.root / "quality" / "report.html"
    quality = Quality(
        scans=shown,
        refused=refused,
        left_out=_left_out(dataset, shown, contents, faults),
        simulated=_says_simulated(dataset, faults),
        faults=tuple(faults[:MOST_TEXTS]),
    )
    write_text(path, quality_page(quality))
    return path


def _sidecar(path: Path, faults: list[str]) -> Mapping[str, Any]:
    """Read a sidecar; {} and a fault where it is none."""
    try:
        if path.stat().st_size > MOST_SIDECAR_BYTES:
            raise ValueError
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        faults.append(f"The sidecar {_text(path.name)} could not be read")
        return {}
    return content


def _scan(path: Path, content: Mapping[str, Any]) -> QualityScan:
    """Bring a sidecar's values to the page's form; where the folders disagree with it, they win."""
    facts, signs = _mapping(content.get("facts")), _mapping(content.get("signs"))
    shape, spacing = _numbers(content.get("shape")), _numbers(content.get("spacing_mm"))
    steps = _numbers(facts.get("steps_mm"))
    doubts = _texts(content.get("doubts"))
    whole = len(shape) == len(spacing) == 3
    voltage = _number(facts.get("kvp"))
    named = (_text(facts.get("kernel")), f"{voltage:g}\N{NO-BREAK SPACE}kV" if voltage else "")
    return QualityScan(
        participant_id=_text(path.parents[2].name),
        session=_text(path.parents[1].name),
        slices=int(shape[0]) if whole else None,
        spacing_mm=spacing[0] if whole else None,
        coverage_mm=shape[0] * spacing[0] if whole else None,
        thickness_mm=tuple(sorted(set(_numbers(facts.get("slice_thickness_mm")))))[:6],
        steps_mm=(min(steps), max(steps)) if steps else None,
        tilt_degrees=_number(facts.get("tilt_degrees")),
        matrix=(int(shape[1]), int(shape[2])) if whole else None,
        pixel_mm=spacing[2] if whole else None,
        scanner=" ".join(
            filter(None, (_text(facts.get("manufacturer")), _text(facts.get("model"))))
        ),
        reconstruction=", ".join(filter(None, named)),
        corrected=_texts(content.get("corrected")),
        # It has a badge of its own.
        doubts=tuple(text for text in doubts if text != _OLD_DOUBT),
        simulated=bool(content.get("simulated")),
        blood=signs.get("blood") is True,
        blood_ml=_number(signs.get("blood_ml")),
    )


def _with_hours(scans: list[QualityScan], contents: list[Mapping[str, Any]]) -> list[QualityScan]:
    """Add the hours since each participant's first scan."""
    times = [_time(content.get("acq_time")) for content in contents]
    first: dict[str, datetime] = {}
    for scan, time in zip(scans, times, strict=True):
        if time:
            first[scan.participant_id] = min(first.get(scan.participant_id, time), time)
    return [
        replace(scan, hours=(time - first[scan.participant_id]).total_seconds() / 3600)
        if time
        else scan
        for scan, time in zip(scans, times, strict=True)
    ]


def _left_out(
    dataset: Dataset,
    scans: list[QualityScan],
    contents: list[Mapping[str, Any]],
    faults: list[str],
) -> list[LeftOut]:
    """Series not used: from the table, or without one from the sidecars."""
    path = dataset.root / "quality" / "left_out.tsv"
    if path.is_file():
        return [
            _said(_text(row.get("participant_id")), _text(row.get("session")), row)
            for row in _rows(path, faults)
        ]
    return [
        _said(scan.participant_id, scan.session, item)
        for scan, content in zip(scans, contents, strict=True)
        for item in _list(content.get("left_out"))[:MOST_TEXTS]
    ]


def _said(participant_id: str, session: str, item: object) -> LeftOut:
    """Read a row, or a sidecar's entry; what has no code (version 0.1) is shown as it stands."""
    fields = _mapping(item)
    code = next((known for known in LeftOutCode if known == fields.get("code")), LeftOutCode.OTHER)
    count = str(fields.get("images"))
    images = int(count) if count.isdecimal() and len(count) < 10 else 1
    said = _text(item) or _text(fields.get("reason")) or _text(fields.get("detail"))
    words = code.words if code is not LeftOutCode.OTHER else said
    return LeftOut(
        participant_id, session, words, images if code.stray or not participant_id else 0
    )


def _rows(path: Path, faults: list[str]) -> Iterator[Mapping[str, Any]]:
    """Rows of a table; none where there is no table, and a fault where it cannot be read on."""
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            yield from csv.DictReader(file, delimiter="\t")
    except (OSError, csv.Error):
        faults.append(f"The table quality/{path.name} could not be read to its end")


def _says_simulated(dataset: Dataset, faults: list[str]) -> bool:
    try:
        return dataset.is_simulated()
    except DatasetError:
        faults.append("The file dataset_description.json could not be read")
        return False


def _text(value: object) -> str:
    """Text without control and direction characters, shortened; "" for n/a and what is no text."""
    if not isinstance(value, str) or value == MISSING:
        return ""
    kept = value[: 2 * MOST_TEXT].replace("\t", " ").replace("\n", " ")
    kept = "".join(c for c in kept if unicodedata.category(c)[0] != "C").strip()
    return kept if len(kept) <= MOST_TEXT else kept[: MOST_TEXT - 1] + "…"


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in map(_text, _list(value)[:MOST_TEXTS]) if text)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Nothing on the page is a million of anything.
    return float(value) if math.isfinite(value) and abs(value) < 1e6 else None


def _numbers(value: object) -> tuple[float, ...]:
    """Numbers of a list; none at all where one is missing."""
    found = [_number(item) for item in _list(value)]
    return tuple(n for n in found if n is not None) if None not in found else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
