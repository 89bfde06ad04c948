"""A simulated cohort on disk: what a model may see; labels; and the truth apart from both.

::

    OUT/
      README.txt               says that everything here is simulated
      simulation.yaml          the settings
      truth/patients.csv       true risks, infarct
      truth/scans.csv          hours, water uptake, pose, noise of every scan
      truth/ceilings.csv       the best AUC there can be
      truth/masks/             infarcts, when asked for
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

A run that was stopped at any moment, and is started again, ends with the same bytes.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from hemocast.config import PrepareConfig, Settings, SimulateConfig
from hemocast.errors import ConfigError, NothingThere, OutputExists
from hemocast.simulate.epidemiology.patients import Patient, draw_cohort
from hemocast.simulate.write import tables
from hemocast.simulate.write.dataset import write_dataset
from hemocast.simulate.write.dicom import write_dicom
from hemocast.simulate.write.stacks import write_stacks
from hemocast.simulate.write.study import write_whole

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Format = Literal["dicom", "dataset", "stacks"]

README = """SIMULATED. No patient is shown here.

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
    "stacks": "stacks/ holds prepared scans in one array and the tables of a dataset.",
}


class Made(Settings):
    """What a folder was made with."""

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

    def ceilings(self) -> tuple[tables.CohortAuc, tables.CohortAuc, tables.CohortAuc]:
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
        Folder to fill; new, empty, or begun with the same settings and format.
    format : {"dicom", "dataset", "stacks"}
        What to write; the module's text shows each.
    prepare : PrepareConfig, optional
        Frames, grid and window of stacks; by default as in `hemocast.config.Config`.
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
        `out` holds something else, or a cohort with other settings or of another format.
    ConfigError
        Masks are asked for with stacks, which have none; or a site has unknown scanners.
    """
    if format == "stacks" and config.masks:
        raise ConfigError(
            "Lesion masks are asked for with format stacks",
            "masks with format dicom or dataset",
            "Switch masks off, or choose another format",
        )
    prepare = (prepare or PrepareConfig()) if format == "stacks" else None
    made = Made(format=format, prepare=prepare, cohort=config)
    _refuse_other(made, out)
    patients = draw_cohort(config)
    _claim(made, out)
    move = progress or (lambda done, total: None)
    if format == "dicom":
        names = write_dicom(config, patients, out, workers, move)
    elif format == "dataset":
        names = write_dataset(config, patients, out, workers, move)
    else:
        names = write_stacks(config, patients, out, prepare or PrepareConfig(), workers, move)
    truth = Truth(config, patients, out, format)
    _write_truth(truth, names)
    shutil.rmtree(out / "unfinished", ignore_errors=True)
    logger.info("simulated %d patients", len(patients))
    return truth


def read_truth(folder: Path) -> Truth:
    """Return the truth of a cohort from its settings: it need not be read, it can be drawn again.

    Raises
    ------
    NothingThere
        The folder holds no simulated cohort.
    """
    made = _made(folder)
    if made is None:
        raise NothingThere(
            "The folder holds no simulated cohort", "a folder with simulation.yaml", "Simulate one"
        )
    return Truth(made.cohort, draw_cohort(made.cohort), folder, made.format)


def _made(out: Path) -> Made | None:
    try:
        text = (out / "simulation.yaml").read_text(encoding="utf-8")
        return Made.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        return None


def _refuse_other(made: Made, out: Path) -> None:
    """Refuse a folder that holds anything but this cohort."""
    begun = out.exists() and (
        not out.is_dir() or any(path.name != "unfinished" for path in out.iterdir())
    )
    if begun and _made(out) != made:
        raise OutputExists(
            "The output folder holds something that these settings did not make",
            "a new or empty folder, or the same cohort, in the same format, unfinished",
            "Choose another folder",
        )


def _claim(made: Made, out: Path) -> None:
    """Make the folder this cohort's."""
    text = yaml.safe_dump(made.model_dump(mode="json"), sort_keys=False)
    write_whole(out / "simulation.yaml", text.encode(), out / "unfinished")
    readme = README.format(parts=PARTS[made.format])
    write_whole(out / "README.txt", readme.encode(), out / "unfinished")


def _write_truth(truth: Truth, names: dict[str, str]) -> None:
    """Write the tables of the truth; `names` gives every patient's name in the visible part."""
    folder, scratch = truth.folder / "truth", truth.folder / "unfinished"
    scans: list[tables.Row] = []
    for patient in truth.patients:
        scans += tables.truth_scan_rows(patient, session_names(truth.format, patient, names))
    best = [vars(auc) for auc in truth.ceilings()]
    rows = [tables.truth_row(p, names[p.patient_id]) for p in truth.patients]
    for name, content in (("patients", rows), ("scans", scans), ("ceilings", best)):
        write_whole(folder / f"{name}.csv", tables.to_csv(content).encode(), scratch)


def session_names(format: Format, patient: Patient, names: dict[str, str]) -> list[str]:
    """Return what the visible part calls a patient's scans before the bleed."""
    if format == "dicom":
        return [scan.folder for scan in patient.scans]
    person = names[patient.patient_id]
    return [f"{person}_ses-{k + 1:02d}" for k in range(len(patient.scans))]
