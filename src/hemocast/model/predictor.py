"""A loaded model: scan in, Prediction out, by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.images import maps_of
from hemocast.classical.measured import SCAN, MeasuredModel, Reason
from hemocast.classical.measurements import Measurements
from hemocast.model.flags import flags
from hemocast.model.heatmap import (
    NO_PLACES,
    ONE_FOR_ALL,
    PER_FRAME,
    PER_VOXEL,
    activation_map,
    enlarge,
    on_scan,
    per_cm3,
)
from hemocast.model.nearest import Nearest, TrainingCases, pooled_features
from hemocast.model.prediction import Prediction, require_finite
from hemocast.model.schema import DESCRIPTION, Description, corrupt
from hemocast.nets import MapGrid
from hemocast.onnx import Device, Session
from hemocast.volume import SIMULATED, FloatArray, Stack, Volume

_STANDS_IN = "values typical of the training patients were used"
"""For a missing value."""
_ALONE = "nothing is known of the patient beside the scan: the number is the image's alone"


def _doubts(gaps: tuple[str, ...]) -> tuple[str, ...]:
    if not gaps:
        return ()
    return (f"{_STANDS_IN} for what is not known of the patient: {'; '.join(gaps)}",)


@dataclass(frozen=True, eq=False)
class _Answer:
    """A logit, and what there is beside it."""

    logit: float
    heatmap: FloatArray
    kind: str
    reasons: tuple[Reason, ...] = ()
    doubts: tuple[str, ...] = ()
    features: FloatArray | None = None


@dataclass(frozen=True)
class Model:
    """A trained model, as `load` returns it.

    Parameters
    ----------
    description : Description
        The content of ``model.yaml``.
    hash : str
        SHA-256 of ``model.yaml``, which names the hashes of all other files.
    onnx : bytes
        The exported network; empty where the model is one from measurements.
    head_weights : ndarray of float32, shape (C,)
        Of the last linear layer: they turn the last feature map into the heatmap.
    measured : MeasuredModel or None
        In place of the network.
    joined : MeasuredModel or None
        What the clinical record adds to the network's logit.
    cases : TrainingCases or None
        Training scans to compare a scan with, where the owner of the data wanted that.
    threads : int or None
        CPU threads; default: all this process may use.
    device : {"cpu", "cuda", "auto"}
        What runs the network.
    """

    description: Description
    hash: str
    onnx: bytes = b""
    head_weights: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    measured: MeasuredModel | None = None
    joined: MeasuredModel | None = None
    cases: TrainingCases | None = None
    threads: int | None = None
    device: Device = "cpu"

    def __repr__(self) -> str:
        """One line: what it is, and what it was trained on."""
        says = self.description
        return (
            f"Model({says.name} {says.version}, {says.net.name}, "
            f"{says.training.n_patients} training patients, {says.notice})"
        )

    @cached_property
    def _session(self) -> Session:
        return Session(self.onnx, self.threads, self.device)

    def on(self, device: Device) -> Model:
        """Return the model, its network run by a device.

        Raises
        ------
        MissingExtra
            A GPU is asked for, and ONNX Runtime cannot use one here.
        """
        moved = replace(self, device=device)
        if self.measured is None:
            _ = moved._session  # refused now, not at the first scan
        return moved

    def at_prevalence(self, prevalence: float) -> Model:
        """Return the model for patients among whom HT is as common as given.

        Raises
        ------
        UsageError
            As `Calibration.at_prevalence` does.
        """
        calibration = self.description.calibration.at_prevalence(prevalence)
        says = self.description.model_copy(update={"calibration": calibration})
        return replace(self, description=says)

    @property
    def _told(self) -> str:
        if self.measured:
            return self.measured.told
        return f"{SCAN} and {self.joined.told}" if self.joined else SCAN

    @property
    def needs_record(self) -> bool:
        """Whether it has to be told of the patient's clinical record."""
        told = self.measured or self.joined
        return told is not None and told.needs_record

    @property
    def needs_map(self) -> bool:
        """Whether it has to be given a co-registered map beside the scan."""
        return self.measured is not None and self.measured.needs_map

    @property
    def needs_signs(self) -> bool:
        """Whether it has to be told of the signs measured on the scan."""
        return self.measured is not None and self.measured.needs_signs

    def predict(
        self,
        scan: Path | str | Volume,
        *,
        scan_id: str | None = None,
        record: Measurements | None = None,
        map: Path | None = None,
        cache: Path | None = None,
    ) -> Prediction:
        """Predict from one scan.

        Parameters
        ----------
        scan : path or Volume
            A DICOM folder, a zip, a NIfTI file, or a Volume already read.
        scan_id : str, optional
            What to call it; default: the first 16 digits of the hash of its CT numbers.
        record : Measurements, optional
            Of one patient, see `hemocast.classical.record`, for a model that needs it.
        map : Path, optional
            A NIfTI file on the grid of the scan, for a model that needs it.
        cache : Path, optional
            Folder of prepared scans, such as `hemocast.dataset.Dataset.stacks`; what is prepared
            is kept there, and found again by its content.

        Returns
        -------
        Prediction

        Raises
        ------
        InputError, SeriesError, ContentError
            The scan cannot be read, or is not one to predict from.
        BloodPresent
            The scan already shows blood.
        ModelError
            As `predict_stack` does.
        """
        from hemocast.dicom import read
        from hemocast.prepare.eligibility import eligible_stack

        volume = scan if isinstance(scan, Volume) else read(Path(scan))
        stack = eligible_stack(volume, self.description.prepare, cache=cache)
        name = stack.record.input_hash[:16] if scan_id is None else scan_id
        cells = None
        if map is not None:
            from hemocast.dataset.maps import read_cells

            cells, simulated = read_cells(map, volume, stack)
            volume = volume.as_simulated() if simulated else volume
        return self.predict_stack(stack, scan_id=name, volume=volume, record=record, cells=cells)

    def predict_stack(
        self,
        stack: Stack,
        *,
        scan_id: str,
        volume: Volume | None = None,
        record: Measurements | None = None,
        cells: FloatArray | None = None,
        signs: Measurements | None = None,
    ) -> Prediction:
        """Predict from a stack made with ``description.prepare``.

        Parameters
        ----------
        stack : Stack
        scan_id : str
        volume : Volume, optional
            What the stack was made from, for its doubts.
        record : Measurements, optional
            See `predict`.
        cells : ndarray of float32, shape (14, 24, 24), optional
            See `hemocast.dataset.maps.read_cells`.
        signs : Measurements, optional
            See `hemocast.classical.signs.signs_of`.

        Raises
        ------
        NotFinite
            Something in the answer is no number.
        NoRecord, NoMap, NoSigns
            The model needs clinical values, a co-registered map, or signs, and has none.
        ModelCorrupt
            The network cannot be run, or its map is not what ``model.yaml`` says.
        """
        says = self.description
        if self.measured:
            answer = self._measured(stack, record, cells, signs)
        else:
            answer = self._network(stack, record)
        logit = answer.logit
        interval = says.calibration.interval(logit)
        simulated = volume is not None and volume.source.simulated
        return Prediction(
            scan_id=scan_id,
            logit=logit,
            probability=says.calibration.probability(logit),
            probability_interval=interval,
            threshold=says.calibration.threshold,
            heatmap=np.where(stack.brain, answer.heatmap, np.float32(0)),
            heatmap_kind=answer.kind,
            stack=stack,
            flags=(*flags(stack, says, interval, volume), *answer.doubts),
            horizon=says.horizon,
            population=says.population,
            model_name=says.name,
            model_version=says.version,
            model_hash=self.hash,
            simulated_training_data=says.simulated_training_data,
            notice=f"{SIMULATED} scan; {says.notice}" if simulated else says.notice,
            label_sets=says.calibration.label_sets,
            prevalence=says.calibration.assumed,
            reasons=answer.reasons,
            told=self._told,
            nearest=self._nearest(answer.features),
        )

    def _nearest(self, features: FloatArray | None) -> Nearest | None:
        if self.cases is None or features is None:
            return None
        return self.cases.near(features)

    def _network(self, stack: Stack, record: Measurements | None) -> _Answer:
        says = self.description
        logits, maps = self._session.run(stack.frames[None])
        require_finite(logits)
        require_finite(maps)
        if maps.shape[1:2] != self.head_weights.shape or maps.ndim != 2 + len(says.map_grid.step):
            raise corrupt(f"the network's map is not what {DESCRIPTION} says")
        heatmap = self._heatmap(activation_map(maps[0], self.head_weights), stack, says.map_grid)
        kind = PER_FRAME if says.map_grid.per_frame else ONE_FOR_ALL
        features = pooled_features(maps[0])
        if self.joined is None:
            return _Answer(float(logits[0]), heatmap, kind, features=features)
        told = self.joined.measure(lambda: [stack.frames], record)
        gaps = self.joined.gaps(told, beside=True)
        logit = float(logits[0] + self.joined.added(told)[0])
        reasons = self.joined.reasons(told)
        return _Answer(logit, heatmap, kind, reasons, _doubts(gaps), features)

    def _measured(
        self,
        stack: Stack,
        record: Measurements | None,
        cells: FloatArray | None,
        signs: Measurements | None,
    ) -> _Answer:
        model = self.measured
        assert model is not None  # noqa: S101 - asked by the caller
        maps = None if cells is None else maps_of(cells[None])
        told = model.measure(lambda: [stack.frames], record, maps, signs)
        gaps = model.gaps(told)
        told_of = (_ALONE,) if model.image_alone(told) else _doubts(gaps)
        logits = model.log_odds(told)
        require_finite(logits)
        reasons = model.reasons(told)
        voxels = model.voxels(told)
        if voxels is None:
            nowhere = np.zeros(stack.frames.shape, np.float32)
            return _Answer(float(logits[0]), nowhere, NO_PLACES, reasons, told_of)
        # So that its mean over the stack is their sum, as with a network's map.
        grid = MapGrid.even(voxels.shape, stack.frames.shape)
        heatmap = self._heatmap((voxels * voxels.size).astype(np.float32), stack, grid)
        return _Answer(float(logits[0]), heatmap, PER_VOXEL, reasons, told_of)

    def _heatmap(self, cam: FloatArray, stack: Stack, grid: MapGrid) -> FloatArray:
        """Spread a map over the stack, in `HEATMAP_UNIT`."""
        slope = self.description.calibration.slope
        return enlarge(per_cm3(cam, stack, grid, slope), stack.frames.shape, grid)

    def logits(
        self,
        frames: FloatArray,
        record: Measurements | None = None,
        maps: Measurements | None = None,
        signs: Measurements | None = None,
    ) -> NDArray[np.floating]:
        """Return the logits (n,) of many stacks' frames (n, 28, H, W), one at a time.

        Parameters
        ----------
        frames : ndarray of float32
        record : Measurements, optional
            A row a stack, for a model that needs it.
        maps, signs : Measurements, optional
            Likewise.

        Raises
        ------
        NotFinite
            One is no number.
        NoRecord
            The model needs clinical values, and none are given.
        """
        if self.measured:
            told = self.measured.measure(lambda: frames, record, maps, signs)
            return self.measured.log_odds(told)
        found = np.array([self._session.run(one[None])[0][0] for one in frames], np.float32)
        require_finite(found)
        if self.joined is None:
            return found
        return found + self.joined.added(self.joined.measure(lambda: frames, record))


def heatmap_on_scan(prediction: Prediction, volume: Volume) -> FloatArray:
    """Return the heatmap on the grid of the scan it was predicted from, (z, y, x)."""
    return on_scan(prediction.heatmap, prediction.stack, volume)
