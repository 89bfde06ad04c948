"""The folder that an evaluation writes into: made, and freed of what an earlier one left there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hemocast.errors import OutputExists
from hemocast.readers.analysis.data import AIDED, UNAIDED
from hemocast.report.evaluation.figures import MOST_CURVES

FIGURES = "figures"
PAGE = "report.html"
_READER_FIGURES = (
    "readers-roc",
    *(f"{kind}-{arm}" for kind in ("readers-confusion", "agreement") for arm in (UNAIDED, AIDED)),
)
_MODEL_FIGURES = (
    "roc", "confusion", "decision",
    *(f"{kind}-{k + 1}" for kind in ("calibration", "subgroups") for k in range(MOST_CURVES)),
)  # fmt: skip


def _files(figures: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{FIGURES}/{name}{end}" for name in figures for end in (".svg", ".png"))


READER_FILES = (
    "table2.csv", "table2.tex", "reader_tests.csv", "agreement.csv", "times.csv", PAGE,
    *_files(_READER_FIGURES),
)  # fmt: skip
"""All that the analysis of a reader study may write."""

ALL_FILES = (
    "metrics.json", "metrics.csv", "thresholds.csv", "prevalence.csv", "calibration.csv",
    "decision.csv", "comparisons.csv", "subgroups.csv", "interactions.csv",
    *READER_FILES, *_files(_MODEL_FIGURES),
)  # fmt: skip
"""All that an evaluation may write."""


def make_folder(out: Path) -> Path:
    """Make the output folder and the one of its figures, which is returned.

    Raises
    ------
    OutputExists
        One of them is a file.
    """
    try:
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputExists(
            "The output is a file", "a folder, or a name for a new one", "Choose another --out"
        ) from error
    return out / FIGURES


def clear(out: Path, files: Sequence[str], inputs: Sequence[Path | None]) -> None:
    """Remove what an earlier evaluation left, so that nothing stale lies beside the new page.

    Parameters
    ----------
    out : Path
        The output folder.
    files : sequence of str
        Paths in it, of `ALL_FILES`; nothing else is touched.
    inputs : sequence of Path or None
        Tables of this evaluation: never removed, whatever they are called.
    """
    kept = {path.resolve() for path in inputs if path is not None}
    for name in files:
        path = out / name
        if (path.is_file() or path.is_symlink()) and path.resolve() not in kept:
            path.unlink()
