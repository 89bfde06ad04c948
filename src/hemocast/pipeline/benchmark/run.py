"""Row by row: train, test, keep; a run that was stopped goes on with the next row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hemocast.config import SimulateConfig
from hemocast.errors import OutputExists, TableError
from hemocast.files import Output, check_folder, claim, remove_temporary, table_text
from hemocast.pipeline.benchmark.compare import COLUMNS as CONTRAST_COLUMNS
from hemocast.pipeline.benchmark.compare import Contrast, compare_with
from hemocast.pipeline.benchmark.data import BenchmarkData, Scored
from hemocast.pipeline.benchmark.entries import Entry
from hemocast.pipeline.benchmark.rows import COLUMNS, Row, label_of, measure
from hemocast.pipeline.benchmark.table import HEADINGS, lines_of
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.training_run import bind
from hemocast.simulate import PRESETS, simulate_cohort
from hemocast.simulate.presets import resized
from hemocast.stats import Resampling
from hemocast.stats.estimate import Float64Array
from hemocast.tables import read_table

KIND = "benchmark"
BINDING, TABLE, TABLE3, CONTRASTS = (
    "benchmark.json", "benchmark.csv", "table3.csv", "comparisons.csv",
)  # fmt: skip
PREDICTIONS = "predictions.csv"
FRESH_SEED = 7001
"""Of the fresh patients, added to that of the cohort: no cohort of ours has it."""

PREDICTION_COLUMNS = (
    "participant_id", "scan_id", "label", "probability", "model", "threshold", "simulated",
)  # fmt: skip

Stages = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Cohorts:
    """Where both cohorts come from: simulated, or made before.

    Parameters
    ----------
    preset : str
        To simulate by.
    seed : int
        Of the patients to learn from.
    patients, test_patients : int or None
        How many; None: as many as the preset has, and 4,000 fresh ones.
    learned, fresh : Path or None
        Folders of ``hemocast simulate --format stacks`` to take instead.
    """

    preset: str = "paper"
    seed: int = 1
    patients: int | None = None
    test_patients: int = 4000
    learned: Path | None = None
    fresh: Path | None = None

    def configs(self) -> tuple[SimulateConfig, SimulateConfig]:
        """Return what both are simulated with."""
        preset = PRESETS[self.preset]
        return (
            resized(preset, self.seed, self.patients),
            resized(preset, self.seed + FRESH_SEED, self.test_patients),
        )


@dataclass(frozen=True)
class BenchmarkOptions:
    """How a benchmark is to be done.

    Parameters
    ----------
    cohorts : Cohorts
    workers : int
        Processes for simulating.
    resampling : Resampling
        Of the fresh patients.
    progress : callable, optional
        Called with (stage, done, total).
    """

    cohorts: Cohorts = Cohorts()
    workers: int = 1
    resampling: Resampling = field(default_factory=lambda: Resampling(n=1000))
    progress: Stages | None = None


@dataclass(frozen=True)
class Benchmarked:
    """What the table holds now.

    Parameters
    ----------
    rows : tuple of Row
        All that were ever measured in the folder.
    contrasts : tuple of Contrast
        Every network against the first of the entries that is one.
    """

    rows: tuple[Row, ...]
    contrasts: tuple[Contrast, ...]


def run_benchmark(out: Path, entries: Sequence[Entry], options: BenchmarkOptions) -> Benchmarked:
    """Measure what is not measured yet, keeping every row at once.

    Further entries may be added to a folder later; its cohorts stay.

    Parameters
    ----------
    out : Path
        New, or of a benchmark on the same cohorts.
    entries : sequence of Entry
        In the order of the work.
    options : BenchmarkOptions

    Raises
    ------
    OutputExists
        The folder holds something else, a benchmark on other cohorts, or a row of the same name
        made with other settings.
    NothingThere, TableError
        A cohort that was given is none.
    ConfigError, MissingExtra
        A network cannot be built, or needs what is not installed.
    NotWritable, NoSpace, InUse
        The output cannot be written to, or somebody else does.
    """
    check_folder(out, KIND)
    with claim(out, KIND) as output:
        remove_temporary(out)
        kept = _kept(out)
        missing = [one for one in entries if not _is_kept(one, kept)]
        data = _cohorts(out, options)
        _bind(output, data)
        for entry in missing:
            entry.check(data)
        for entry in missing:
            label = label_of(entry.name, entry.seed)
            folder = out / "training" / _file_of(label)
            scored = entry.score(data, folder, stage_of(options.progress, label))
            row = measure(entry, scored, data.fresh, options.resampling)
            _keep(output, row, scored, data)
            for state in folder.glob("*.ckpt"):  # what it holds is in the row now
                state.unlink()
        rows = _kept(out)
        contrasts = _finish(output, rows, _reference(entries), data, options)
    return Benchmarked(tuple(rows), contrasts)


def read_rows(out: Path) -> tuple[Row, ...]:
    """Read the rows of a benchmark's folder, in the order of the table.

    Raises
    ------
    TableError
        It holds none.
    """
    rows = _kept(out)
    if not rows:
        raise TableError(
            "The folder holds no row of a benchmark",
            "a folder of 'hemocast benchmark'",
            "Check the path, or run it first",
        )
    return tuple(rows)


def _cohorts(out: Path, options: BenchmarkOptions) -> BenchmarkData:
    """Simulate what was not given."""
    folders = []
    given = (options.cohorts.learned, options.cohorts.fresh)
    for name, path, config in zip(
        ("cohort", "fresh"), given, options.cohorts.configs(), strict=True
    ):
        if path is None:
            moved = stage_of(options.progress, f"simulating {name}")
            path = simulate_cohort(
                config, out / name, format="stacks", workers=options.workers, progress=moved
            ).folder
        folders.append(path)
    return BenchmarkData.of(*folders)


def _bind(output: Output, data: BenchmarkData) -> None:
    """Write down whose folder it is, or refuse another's."""
    binding = {
        "schema_version": 1,
        "learned_sha256": data.learned.content_hash(),
        "fresh_sha256": data.fresh.table.content_hash(),
    }
    bind(output, BINDING, binding, "a benchmark on other patients")


def _file_of(label: str) -> str:
    """Name a file after a row."""
    kept = "".join(one if one.isalnum() or one in "-+" else " " for one in label)
    return "_".join(kept.split())


def _kept(out: Path) -> list[Row]:
    paths = sorted((out / "rows").glob("*.json"))
    content = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    content.sort(key=lambda one: one.pop("order"))
    return [Row.of_plain(one) for one in content]


def _is_kept(entry: Entry, kept: Iterable[Row]) -> bool:
    """Tell whether a row is measured; refuse one of the same name and other settings."""
    for row in kept:
        if (row.model, row.seed) == (entry.name, entry.seed):
            if row.settings != entry.settings:
                raise OutputExists(
                    f"The folder holds a row {row.label!r} made with other settings",
                    "a new folder, or the same settings",
                    "Name another folder with --out",
                )
            return True
    return False


def _keep(output: Output, row: Row, scored: Scored, data: BenchmarkData) -> None:
    """Write the predictions, then the row, then the table."""
    name = _file_of(row.label)
    output.write_text(f"predictions/{name}.csv", _predictions(row, scored, data))
    rows = _kept(output.folder)
    output.write_json(f"rows/{name}.json", row.plain() | {"order": len(rows)})
    output.write_table(TABLE, [one.cells() for one in (*rows, row)], COLUMNS)


def _predictions(row: Row, scored: Scored, data: BenchmarkData) -> str:
    table = data.fresh.table
    lines = (
        {
            "participant_id": participant,
            "scan_id": scan,
            "label": label,
            "probability": round(float(value), 6),
            "model": row.label,
            "threshold": row.threshold,
            "simulated": 1,
        }
        for participant, scan, label, value in zip(
            table.participant_id, table.scan_id, table.label, scored.probability, strict=True
        )
    )
    return table_text(lines, PREDICTION_COLUMNS)


def _finish(
    output: Output,
    rows: Sequence[Row],
    reference: str | None,
    data: BenchmarkData,
    options: BenchmarkOptions,
) -> tuple[Contrast, ...]:
    """Write what takes all rows together."""
    lines = [dict(zip(HEADINGS, line, strict=True)) for line in lines_of(rows)]
    output.write_table(TABLE3, lines, HEADINGS)
    files = [output.folder / "predictions" / f"{_file_of(row.label)}.csv" for row in rows]
    texts = [path.read_text(encoding="utf-8") for path in files]
    head = texts[0].partition("\n")[0]
    output.write_text(PREDICTIONS, head + "\n" + "".join(t.partition("\n")[2] for t in texts))
    scores: dict[str, list[Float64Array]] = {}
    for row, path in zip(rows, files, strict=True):
        if row.seed is not None:
            probability = read_table(path, path.name)["probability"].to_numpy(np.float64)
            scores.setdefault(row.model, []).append(probability)
    if reference is None:
        return ()
    contrasts = compare_with(reference, scores, data.fresh, options.resampling)
    output.write_table(CONTRASTS, [_rounded(one) for one in contrasts], CONTRAST_COLUMNS)
    return contrasts


def _rounded(contrast: Contrast) -> dict[str, object]:
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in vars(contrast).items()
    }


def _reference(entries: Sequence[Entry]) -> str | None:
    return next((one.name for one in entries if one.seed is not None), None)
