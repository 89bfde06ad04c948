"""A loaded model: scan in, Prediction out, by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.model.flags import flags
from hemocast.model.heatmap import ONE_FOR_ALL, PER_FRAME, activation_map, enlarge, on_scan
from hemocast.model.prediction import Prediction, require_finite
from hemocast.model.schema import DESCRIPTION, Description, corrupt
from hemocast.onnx import Device, Session
from hemocast.volume import SIMULATED, FloatArray, Stack, Volume


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
        The exported network.
    head_weights : ndarray of float32, shape (C,)
        Of the last linear layer: they turn the last feature map into the heatmap.
    threads : int or None
        CPU threads; default: all this process may use.
    device : {"cpu", "cuda", "auto"}
        What runs the network.
    """

    description: Description
    hash: str
    onnx: bytes
    head_weights: FloatArray
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

    def predict(self, scan: Path | str | Volume, *, scan_id: str | None = None) -> Prediction:
        """Predict from one scan.

        Parameters
        ----------
        scan : path or Volume
            A DICOM folder, a zip, a NIfTI file, or a Volume already read.
        scan_id : str, optional
            What to call it; default: the first 16 digits of the hash of its CT numbers.

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
        stack = eligible_stack(volume, self.description.prepare)
        name = stack.record.input_hash[:16] if scan_id is None else scan_id
        return self.predict_stack(stack, scan_id=name, volume=volume)

    def predict_stack(
        self, stack: Stack, *, scan_id: str, volume: Volume | None = None
    ) -> Prediction:
        """Predict from a stack made with ``description.prepare``.

        Parameters
        ----------
        stack : Stack
        scan_id : str
        volume : Volume, optional
            What the stack was made from, for its doubts.

        Raises
        ------
        NotFinite
            Something in the answer is no number.
        ModelCorrupt
            The network cannot be run, or its map is not what ``model.yaml`` says.
        """
        logits, maps = self._session.run(stack.frames[None])
        require_finite(logits)
        require_finite(maps)
        logit = float(logits[0])
        says = self.description
        if maps.shape[1:2] != self.head_weights.shape or maps.ndim != 2 + len(says.map_grid.step):
            raise corrupt(f"the network's map is not what {DESCRIPTION} says")
        heatmap = enlarge(
            activation_map(maps[0], self.head_weights), stack.frames.shape, says.map_grid
        )
        interval = says.calibration.interval(logit)
        simulated = volume is not None and volume.source.simulated
        return Prediction(
            scan_id=scan_id,
            logit=logit,
            probability=says.calibration.probability(logit),
            probability_interval=interval,
            threshold=says.calibration.threshold,
            heatmap=np.where(stack.brain, heatmap, np.float32(0)),
            heatmap_kind=PER_FRAME if says.map_grid.per_frame else ONE_FOR_ALL,
            stack=stack,
            flags=flags(stack, says, interval, volume),
            horizon=says.horizon,
            population=says.population,
            model_name=says.name,
            model_version=says.version,
            model_hash=self.hash,
            simulated_training_data=says.simulated_training_data,
            notice=f"{SIMULATED} scan; {says.notice}" if simulated else says.notice,
            label_sets=says.calibration.label_sets,
            prevalence=says.calibration.assumed,
        )

    def logits(self, frames: FloatArray) -> NDArray[np.float32]:
        """Return the logits (n,) of many stacks' frames (n, 28, H, W), one at a time.

        Raises
        ------
        NotFinite
            One is no number.
        """
        found = np.array([self._session.run(one[None])[0][0] for one in frames], np.float32)
        require_finite(found)
        return found


def heatmap_on_scan(prediction: Prediction, volume: Volume) -> FloatArray:
    """Return the heatmap on the grid of the scan it was predicted from, (z, y, x), logit units."""
    return on_scan(prediction.heatmap, prediction.stack, volume)
