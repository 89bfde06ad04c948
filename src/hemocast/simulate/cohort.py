"""A simulated cohort on disk: what a model may see; labels; and the truth apart from both.

::

    OUT/
      README.txt               says that everything here is simulated
      simulation.yaml          the settings
      truth/patients.csv       true risks, infarct
      truth/scans.csv          hours, water uptake, pose, noise of every scan
      truth/ceilings.csv       the best AUC there can be
      truth/masks/             infarcts, when asked for
      maps/                    permeability, made up, when asked for; see `write.maps`
      bleeds/<study>/<image>   later scans of HT patients as DICOM, when asked for

    format dicom:
      dicom/<study>/<image>    names tell nothing
      clinical.csv             what a record would hold
      labels.csv               patient_id, label
      followup.csv             grade, hours to the bleed and to the last imaging
      reviews.csv              what reviewers and committee wrote
    format dataset:
      dataset/                 made from DICOM as anyone's, with all its tables
      dataset.key              secret of the dataset's pseudonyms
    format stacks:
      stacks/stacks.npy        uint8 (n, frames, H, W), one row per scan
      stacks/*.tsv             the tables of a dataset; scans.tsv names the row
      findings/lesions.npy     uint8 (n, frames, H, W / 8), the infarcts, one bit per voxel
      findings/findings.tsv    what a perfect reader would note of every scan

A run that was stopped at any moment, and is started again, ends with the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from hemocast import files
from hemocast.config import PrepareConfig, Settings, SimulateConfig
from hemocast.dataset.maps import FOLDER, MAPS
from hemocast.errors import ConfigError, NothingThere, OutputExists
from hemocast.files import Output
from hemocast.simulate.epidemiology.patients import Patient, draw_cohort
from hemocast.simulate.write import tables
from hemocast.simulate.write.dataset import DatasetWriter
from hemocast.simulate.write.dicom import DicomWriter
from hemocast.simulate.write.maps import write_scan_maps, write_stack_maps
from hemocast.simulate.write.stacks import StacksWriter
from hemocast.simulate.write.writer import CohortWriter
from hemocast.version import SIMULATOR_VERSION

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Format = Literal["dicom", "dataset", "stacks"]

KIND = "simulated cohort"

README = """SIMULATED by version {simulator} of the simulator. No patient is shown here.

The scans were computed from the MNI152 template; the outcomes were drawn from a formula (settings:
simulation.yaml). Results obtained on them say how well a method finds what was put in. They are no
evidence about patients.

{parts}

truth/ holds what was put in. No model may see it.
"""

PARTS = {
    "dicom": "dicom/ and clinical.csv are what a model may see; labels.csv, followup.csv and "
    "reviews.csv\nare the outcome.",
    "dataset": "dataset/ is a dataset folder as 'hemocast ingest' makes one, its tables filled;\n"
    "dataset.key is the secret of its pseudonyms.",
    "stacks": "stacks/ holds prepared scans in one array and the tables of a dataset; findings/ "
    "holds what\na perfect reader would mark on them, for 'hemocast pretrain' alone.",
}


class Made(Settings):
    """What a folder was made with."""

    simulator: int = 1  # what names none was made by the first
    format: Format
    prepare: PrepareConfig | None = None
    cohort: SimulateConfig


@dataclass(frozen=True)
class Truth:
    """A simulated cohort and what only the simulator knows.

    Parameters
    ----------
    config : SimulateConfig
        Its settings.
    patients : tuple of Patient
        With true risks, labels, infarcts and planned scans.
    folder : Path
        Where it lies.
    format : str
        ``dicom``, ``dataset`` or ``stacks``.
    """

    config: SimulateConfig
    patients: tuple[Patient, ...]
    folder: Path
    format: Format = "dicom"

    @property
    def dicom(self) -> Path:
        """Folder of the DICOM studies, in format ``dicom``."""
        return self.folder / "dicom"

    @property
    def labels(self) -> Path:
        """CSV of ``patient_id, label``, in format ``dicom``."""
        return self.folder / "labels.csv"

    @property
    def clinical(self) -> Path:
        """CSV of what a record would hold, in format ``dicom``."""
        return self.folder / "clinical.csv"

    @property
    def visible(self) -> Path:
        """Folder of the scans, whatever the format."""
        return self.folder / self.format

    def ceilings(self) -> tuple[tables.CohortAuc, ...]:
        """Return the best AUC for who knows everything, the image alone, the record alone."""
        return tables.cohort_ceilings(self.config, self.patients)


def simulate_cohort(
    config: SimulateConfig,
    out: Path,
    *,
    format: Format = "dicom",
    prepare: PrepareConfig | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Truth:
    """Simulate a cohort, or finish one that was interrupted.

    Parameters
    ----------
    config : SimulateConfig
        The same settings give the same bytes, with any number of workers.
    out : Path
        Folder to fill; new, empty, or begun with the same settings and format. What else lies in
        it stays as it is.
    format : {"dicom", "dataset", "stacks"}
        What to write; the module's text shows each.
    prepare : PrepareConfig, optional
        Frames, grid and window of stacks; by default as in `hemocast.config.Config`. Of a dataset,
        the scans' stacks are kept with these settings; by default none are.
    workers : int
        Processes.
    progress : callable, optional
        Called with steps done and steps in all.

    Returns
    -------
    Truth

    Raises
    ------
    OutputExists
        `out` holds something else, or a cohort with other settings or of another format, or a
        table of it was changed.
    InUse
        Another run is writing there.
    NotWritable, NoSpace
        `out` is a file, or cannot be written to; or the disk has not room for the cohort.
    ConfigError
        A site has unknown scanners.
    """
    made = Made(
        simulator=SIMULATOR_VERSION,
        format=format,
        prepare=(prepare or PrepareConfig()) if format == "stacks" else None,
        cohort=config,
    )
    _refuse_other(made, out)
    files.check_folder(out, KIND, also=_made(out) == made)
    truth = Truth(config, draw_cohort(config), out, format)
    with files.claim(out, KIND, also=_made(out) == made) as output:
        _refuse_other(made, out)
        writer = _writer(truth, made, workers, progress or _silent, prepare)
        _write(truth, made, output, writer)
    logger.info("simulated %d patients", len(truth.patients))
    return truth


def simulate_maps(truth: Truth) -> Path:
    """Write a permeability map, tied to the true risk, beside every scan of a finished cohort.

    See `hemocast.simulate.write.maps` for where they go, and for what they are
    `hemocast.simulate.disease.permeability`. Maps that are there stay.

    Returns
    -------
    Path
        Their folder; of stacks, the file.

    Raises
    ------
    ConfigError
        DICOM, or a dataset, was simulated without the masks that the maps are drawn from.
    NothingThere
        The folder holds no simulated cohort.
    InUse, NotWritable, NoSpace
        As `simulate_cohort` does.
    """
    made, out = _made(truth.folder), truth.folder
    if made is None:
        raise _no_cohort()
    config, patients = truth.config, truth.patients
    with files.claim(out, KIND, also=True):
        if made.prepare:
            write_stack_maps(config, patients, out, made.prepare)
            return out / "stacks" / MAPS
        if not config.masks:
            raise ConfigError(
                "The cohort was simulated without masks, which maps are drawn from",
                "masks: true among its settings, as --maps sets it",
                "Simulate it again, into a new folder, with --maps",
            )
        folder = out / "dataset" / FOLDER if truth.format == "dataset" else out / "maps"
        write_scan_maps(config, patients, out, _writer(truth, made, 1, _silent).sessions, folder)
        return folder


def _silent(done: int, total: int) -> None:
    """Show no progress."""


def _writer(
    truth: Truth, made: Made, workers: int, progress: Progress, keep: PrepareConfig | None = None
) -> CohortWriter:
    common = (truth.config, truth.patients, truth.folder, workers, progress)
    if made.prepare:
        return StacksWriter(*common, made.prepare)
    return DicomWriter(*common) if made.format == "dicom" else DatasetWriter(*common, keep)


def _write(truth: Truth, made: Made, output: Output, writer: CohortWriter) -> None:
    """Write settings, scans and tables, when all that can be checked is."""
    settings = yaml.safe_dump(made.model_dump(mode="json"), sort_keys=False)
    first = {"simulation.yaml": settings, "README.txt": _readme(made)}
    last = writer.tables() | _truth_tables(truth, writer)
    writer.filled_tables()  # refuses what was changed in them
    output.check(name for name, text in (first | last).items() if _differs(output, name, text))
    files.check_space(truth.folder, int(writer.space()))
    _put(output, first)
    writer.render()
    for name, text in writer.filled_tables().items():
        if _differs(output, name, text):
            files.write_text(truth.folder / name, text)
    _put(output, last)
    files.remove_temporary(truth.folder)


def _readme(made: Made) -> str:
    return README.format(simulator=made.simulator, parts=PARTS[made.format])


def _differs(output: Output, name: str, text: str) -> bool:
    path = output.folder / name
    return not path.is_file() or path.read_bytes() != text.encode()


def _put(output: Output, texts: dict[str, str]) -> None:
    """Write files that are not there yet with this text, as an earlier version left them too."""
    for name, text in texts.items():
        if _differs(output, name, text):
            output.write_text(name, text)


def read_truth(folder: Path) -> Truth:
    """Return the truth of a cohort from its settings: it need not be read, it can be drawn again.

    Raises
    ------
    NothingThere
        The folder holds no simulated cohort.
    """
    made = _made(folder)
    if made is None:
        raise _no_cohort()
    return Truth(made.cohort, draw_cohort(made.cohort), folder, made.format)


def _no_cohort() -> NothingThere:
    return NothingThere(
        "The folder holds no simulated cohort", "a folder with simulation.yaml", "Simulate one"
    )


def _made(out: Path) -> Made | None:
    try:
        text = (out / "simulation.yaml").read_text(encoding="utf-8")
        return Made.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        return None


def _refuse_other(made: Made, out: Path) -> None:
    """Refuse a folder whose cohort is another, before `claim` writes to it."""
    if (out / "simulation.yaml").exists() and _made(out) != made:
        raise OutputExists(
            "The output folder holds something that these settings, or this version of the "
            "simulator, did not make",
            "a new or empty folder, or the same cohort, in the same format, unfinished",
            "Choose another folder",
        )


def _truth_tables(truth: Truth, writer: CohortWriter) -> dict[str, str]:
    """Return the tables of the truth, path in the folder -> text."""
    scans: list[tables.Row] = []
    for patient in truth.patients:
        scans += tables.truth_scan_rows(patient, writer.sessions(patient))
    rows = {
        "patients": [tables.truth_row(p, writer.name(p)) for p in truth.patients],
        "scans": scans,
        "ceilings": [vars(auc) | {"simulator": SIMULATOR_VERSION} for auc in truth.ceilings()],
    }
    return {f"truth/{name}.csv": tables.csv_text(content) for name, content in rows.items()}
