"""A simulated cohort on disk: DICOM, labels and record for the user; the truth apart from them.

::

    OUT/
      README.txt               says that everything here is simulated
      simulation.yaml          the settings
      labels.csv               patient_id, label
      clinical.csv             what a record would hold
      dicom/<study>/<image>    names tell nothing
      bleeds/<study>/<image>   later scans of HT patients, when asked for
      truth/patients.csv       true risks, infarct
      truth/scans.csv          hours, water uptake, pose, noise of every scan
      truth/masks/             infarcts, when asked for
"""

from __future__ import annotations

import csv
import io
import logging
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from hemocast.config import SimulateConfig, save_config
from hemocast.errors import NothingThere, OutputExists
from hemocast.simulate.patients import Patient, draw_cohort
from hemocast.simulate.study import is_written, write_patient

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

README = """SIMULATED. No patient is shown here.

The scans under dicom/ were computed from the MNI152 template; the outcomes in labels.csv were
drawn from a formula (settings: simulation.yaml). Results obtained on them say how well a method
finds what was put in. They are no evidence about patients.

truth/ holds what was put in. No model may see it.
"""


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
    """

    config: SimulateConfig
    patients: tuple[Patient, ...]
    folder: Path

    @property
    def dicom(self) -> Path:
        """Folder of the DICOM studies."""
        return self.folder / "dicom"

    @property
    def labels(self) -> Path:
        """CSV of ``patient_id, label``."""
        return self.folder / "labels.csv"

    @property
    def clinical(self) -> Path:
        """CSV of what a record would hold."""
        return self.folder / "clinical.csv"


def simulate_cohort(
    config: SimulateConfig, out: Path, *, workers: int = 1, progress: Progress | None = None
) -> Truth:
    """Simulate a cohort, or finish one that was interrupted.

    Parameters
    ----------
    config : SimulateConfig
        The same settings give the same bytes, with any number of workers.
    out : Path
        Folder to fill; new, empty, or begun with the same settings.
    workers : int
        Processes.
    progress : callable, optional
        Called with scans done and scans in all.

    Returns
    -------
    Truth

    Raises
    ------
    OutputExists
        `out` holds something else, or a cohort with other settings.
    """
    _claim(config, out)
    patients = draw_cohort(config)
    total = sum(p.n_scans for p in patients)
    done = 0
    for count in _written(config, patients, out, workers):
        done += count
        if progress:
            progress(done, total)
    shutil.rmtree(out / "unfinished", ignore_errors=True)
    truth = Truth(config, patients, out)
    _write_tables(truth)
    logger.info("simulated %d scans of %d patients", total, len(patients))
    return truth


def read_truth(folder: Path) -> Truth:
    """Return the truth of a cohort from its settings: it need not be read, it can be drawn again.

    Raises
    ------
    NothingThere
        The folder holds no simulated cohort.
    """
    config = _settings(folder)
    if config is None:
        raise NothingThere(
            "The folder holds no simulated cohort", "a folder with simulation.yaml", "Simulate one"
        )
    return Truth(config, draw_cohort(config), folder)


def _settings(out: Path) -> SimulateConfig | None:
    try:
        text = (out / "simulation.yaml").read_text(encoding="utf-8")
        return SimulateConfig.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        return None


def _claim(config: SimulateConfig, out: Path) -> None:
    """Make the folder this cohort's, or refuse."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and _settings(out) != config:
        raise OutputExists(
            "The output folder holds something that these settings did not make",
            "a new or empty folder, or the same cohort unfinished",
            "Choose another folder",
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.txt").write_text(README, encoding="utf-8")
    save_config(config, out / "simulation.yaml")


def _written(
    config: SimulateConfig, patients: Sequence[Patient], out: Path, workers: int
) -> Iterator[int]:
    """Write all patients, giving the number of scans of each as it is finished."""
    missing = [patient for patient in patients if not is_written(patient, out)]
    yield sum(p.n_scans for p in patients) - sum(p.n_scans for p in missing)
    if workers <= 1 or len(missing) < 2:
        for patient in missing:
            yield write_patient(config, patient, out)
        return
    # Fresh processes: forking one that runs threads can hang.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(write_patient, config, patient, out) for patient in missing]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _write_tables(truth: Truth) -> None:
    patients = truth.patients
    _write_csv(truth.labels, [{"patient_id": p.patient_id, "label": p.label} for p in patients])
    _write_csv(
        truth.clinical,
        [
            {
                "patient_id": p.patient_id,
                "age": round(p.age, 1),
                "sex": "M" if p.male else "F",
                "nihss": int(p.nihss),
                "glucose_mmol_l": round(p.glucose, 1),
                "systolic_mmhg": round(p.systolic),
                "atrial_fibrillation": int(p.atrial_fibrillation),
                "treatment": p.treatment,
                "hours_to_first_scan": round(p.scans[0].hours, 1),
            }
            for p in patients
        ],
    )
    _write_csv(
        truth.folder / "truth" / "patients.csv",
        [
            {
                "patient_id": p.patient_id,
                "label": p.label,
                "risk": p.risk,
                "risk_image": p.risk_image,
                "risk_population": p.risk_population,
                "territory": p.infarct.territory,
                "side": p.infarct.side,
                "volume_ml": p.infarct.volume_ml,
                "leukoaraiosis": int(p.leukoaraiosis),
            }
            for p in patients
        ],
    )
    _write_csv(truth.folder / "truth" / "scans.csv", list(_scan_rows(patients)))


def _scan_rows(patients: Sequence[Patient]) -> Iterator[dict[str, object]]:
    for p in patients:
        for scan in (*p.scans, *([p.bleed] if p.bleed else [])):
            turn, shift = scan.protocol.rotation_degrees, scan.protocol.shift_mm
            yield {
                "patient_id": p.patient_id,
                "study": scan.folder,
                "hours": scan.hours,
                "uptake": scan.uptake,
                "uptake_rendered": scan.uptake_rendered,
                "blood_ml": scan.blood_ml,
                "noise_hu": scan.protocol.noise_hu,
                "tilt_degrees": scan.protocol.tilt_degrees,
                **{f"rotation_{a}": turn[i] for i, a in enumerate("xyz")},
                **{f"shift_{a}": shift[i] for i, a in enumerate("xyz")},
            }


def _write_csv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text.getvalue(), encoding="utf-8")
    partial.replace(path)
