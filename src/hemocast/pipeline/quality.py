"""A dataset folder in; ``quality/report.html``, the page that shows every scan of it, out."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hemocast.dataset import Dataset
from hemocast.dataset.layout import nifti_of
from hemocast.dataset.sidecar import Sidecar, read_sidecar
from hemocast.errors import DatasetError
from hemocast.files import claim, kind_of
from hemocast.left_out import LeftOutCode, RefusedStudy
from hemocast.pipeline.study.card import write_card
from hemocast.pipeline.study.records import Sources
from hemocast.report.checklists.form import DATASHEET
from hemocast.report.quality.content import LeftOut, Quality, QualityScan
from hemocast.report.quality.page import quality_page
from hemocast.report.quality.thumbnails import make_thumbnail
from hemocast.tables import MISSING, read_table

Progress = Callable[[int, int], None]

# A dataset may come from elsewhere: nothing in it makes the page larger than this.
MOST_TEXT = 400
MOST_TEXTS = 30
PAGE = "report.html"
_TITLE = b"Hemocast dataset quality</title>"
_OLD_DOUBT = "the scan is simulated: it shows no patient"


def write_quality_report(
    dataset: Dataset, *, workers: int = 1, progress: Progress | None = None
) -> Path:
    """Write the quality report of a dataset, and beside it its data sheet, ``datasheet.md``.

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
    OutputExists
        The page there is somebody's own, or was changed since it was written.
    """
    dataset.refuse_foreign()
    folder = dataset.root / "quality"
    before = kind_of(folder) is None and _is_page(folder / PAGE)
    with claim(folder, "quality report", also=True) as output:
        if not before:
            output.check([PAGE])
        page = quality_page(_gather(dataset, workers, progress))
        if before:
            (folder / PAGE).unlink()
        output.write_text(PAGE, page)
        write_card(output, DATASHEET, Sources(dataset=dataset.root))
    return folder / PAGE


def _is_page(path: Path) -> bool:
    """Tell whether a page is one of ours: version 0.1 kept no record of what it wrote."""
    return path.is_file() and _TITLE in path.read_bytes()


def _gather(dataset: Dataset, workers: int, progress: Progress | None) -> Quality:
    from joblib import Parallel, delayed

    faults: list[str] = []
    paths = dataset.sidecars()
    sidecars = [_sidecar(path, faults) for path in paths]
    first = _first_times(paths, sidecars)
    scans = [_scan(path, one, first) for path, one in zip(paths, sidecars, strict=True)]
    pictures = Parallel(n_jobs=workers, return_as="generator", pre_dispatch=2 * workers)(
        delayed(make_thumbnail)(
            nifti_of(path), simulated=scan.simulated, sides_known=scan.sides_known
        )
        for path, scan in zip(paths, scans, strict=True)
    )
    shown: list[QualityScan] = []
    for scan, picture in zip(scans, pictures, strict=True):
        simulated = scan.simulated or picture.simulated
        shown.append(replace(scan, picture=picture, simulated=simulated))
        if progress:
            progress(len(shown), len(scans))
    left_out = _rows(dataset, "left_out", faults)
    if not (dataset.root / "quality" / "left_out.tsv").is_file():
        left_out = [row for one in sidecars if one for row in _said(one)]
    return Quality(
        scans=shown,
        refused=[
            RefusedStudy(
                participant_id=_text(row.get("participant_id")),
                code=_text(row.get("code")),
                message=_text(row.get("message")),
                study=MISSING if row.get("study") == MISSING else _text(row.get("study")),
            )
            for row in _rows(dataset, "refused", faults)
        ],
        left_out=[_left_out(row) for row in left_out],
        simulated=_says_simulated(dataset, faults),
        faults=tuple(faults[:MOST_TEXTS]),
    )


def _sidecar(path: Path, faults: list[str]) -> Sidecar | None:
    try:
        return read_sidecar(path)
    except DatasetError as error:
        faults.append(error.seen)
        return None


def _first_times(paths: Iterable[Path], sidecars: Iterable[Sidecar | None]) -> dict[str, datetime]:
    """When each participant was scanned first; where folders and sidecar disagree, they win."""
    first: dict[str, datetime] = {}
    for path, sidecar in zip(paths, sidecars, strict=True):
        if sidecar and (time := sidecar.acq_time):
            person = path.parents[2].name
            first[person] = min(first.get(person, time), time)
    return first


def _scan(path: Path, sidecar: Sidecar | None, first: Mapping[str, datetime]) -> QualityScan:
    """Bring a sidecar's values to the page's form."""
    name = QualityScan(_text(path.parents[2].name), _text(path.parents[1].name))
    if sidecar is None:
        return name
    facts, shape, spacing = sidecar.facts, sidecar.shape, sidecar.spacing_mm
    steps = _numbers(facts.get("steps_mm"))
    voltage = _number(facts.get("kvp"))
    scanner = (_text(facts.get("manufacturer")), _text(facts.get("model")))
    named = (_text(facts.get("kernel")), f"{voltage:g}\N{NO-BREAK SPACE}kV" if voltage else "")
    time = sidecar.acq_time
    return replace(
        name,
        hours=(time - first[path.parents[2].name]).total_seconds() / 3600 if time else None,
        slices=shape and shape[0],
        spacing_mm=spacing and spacing[0],
        coverage_mm=shape[0] * spacing[0] if shape and spacing else None,
        thickness_mm=tuple(sorted(set(_numbers(facts.get("slice_thickness_mm")))))[:6],
        steps_mm=(min(steps), max(steps)) if steps else None,
        tilt_degrees=_number(facts.get("tilt_degrees")),
        matrix=shape and (shape[1], shape[2]),
        pixel_mm=spacing and spacing[2],
        scanner=" ".join(filter(None, scanner)),
        reconstruction=", ".join(filter(None, named)),
        corrected=_texts(sidecar.corrected),
        # It has a badge of its own.
        doubts=_texts(text for text in sidecar.doubts if text != _OLD_DOUBT),
        simulated=sidecar.simulated,
        blood=sidecar.signs.blood is True,
        blood_ml=_number(sidecar.signs.blood_ml),
        sides_known=sidecar.signs.sides_known is not False,
    )


def _said(sidecar: Sidecar) -> list[dict[str, str]]:
    """What a sidecar says of the other series of its study, as rows of ``left_out.tsv``."""
    name = {"participant_id": sidecar.participant_id, "session": sidecar.session}
    return [
        name | {"code": item.code, "images": str(item.images), "reason": item.reason}
        for item in sidecar.left_out[:MOST_TEXTS]
    ]


def _left_out(row: Mapping[str, str]) -> LeftOut:
    """Read a row; what has no code (version 0.1) is shown as it stands."""
    code = next((known for known in LeftOutCode if known == row.get("code")), LeftOutCode.OTHER)
    count = row.get("images", "")
    images = int(count) if count.isdecimal() and len(count) < 10 else 1
    person = _text(row.get("participant_id"))
    return LeftOut(
        person,
        _text(row.get("session")),
        _text(row.get("reason")) if code is LeftOutCode.OTHER else code.words,
        images if code.stray or not person else 0,
    )


def _rows(dataset: Dataset, name: str, faults: list[str]) -> list[dict[str, str]]:
    """Rows of a table; none where there is no table, and a fault where it cannot be read."""
    path = dataset.root / "quality" / f"{name}.tsv"
    if not path.is_file():
        return []
    try:
        table = read_table(path, f"quality/{name}.tsv", may_be_empty=True)
    except DatasetError as error:
        faults.append(error.seen)
        return []
    return [{str(k): str(v) for k, v in row.items()} for row in table.to_dict("records")]


def _says_simulated(dataset: Dataset, faults: list[str]) -> bool:
    try:
        return dataset.is_simulated()
    except DatasetError as error:
        faults.append(error.seen)
        return False


def _text(value: object) -> str:
    """Text without control and direction characters, shortened; "" for n/a and what is no text."""
    if not isinstance(value, str) or value == MISSING:
        return ""
    kept = value[: 2 * MOST_TEXT].replace("\t", " ").replace("\n", " ")
    kept = "".join(c for c in kept if unicodedata.category(c)[0] != "C").strip()
    return kept if len(kept) <= MOST_TEXT else kept[: MOST_TEXT - 1] + "…"


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in map(_text, list(values)[:MOST_TEXTS]) if text)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Nothing on the page is a million of anything.
    return float(value) if math.isfinite(value) and abs(value) < 1e6 else None


def _numbers(values: object) -> tuple[float, ...]:
    """Numbers of a list; none at all where one is missing."""
    found = [_number(item) for item in values] if isinstance(values, list) else []
    return tuple(n for n in found if n is not None) if None not in found else ()
