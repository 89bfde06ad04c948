"""Hemocast: predict hemorrhagic transformation after ischemic stroke from a plain head CT.

For research; not a medical device. The whole public API::

    volume = hemocast.read("scan_folder")        # DICOM folder, zip or NIfTI -> Volume
    model = hemocast.load("model_folder")        # -> Model
    prediction = model.predict(volume)           # -> Prediction
    dataset = hemocast.Dataset(Path("dataset_folder"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hemocast.version import VERSION

if TYPE_CHECKING:
    from hemocast.dataset import Dataset
    from hemocast.dicom import read
    from hemocast.model import Model, Prediction, load
    from hemocast.volume import Volume

__version__ = VERSION
__all__ = ["Dataset", "Model", "Prediction", "Volume", "load", "read"]

_ROOMS = {
    "Dataset": "dataset",
    "Model": "model",
    "Prediction": "model",
    "Volume": "volume",
    "load": "model",
    "read": "dicom",
}


def __getattr__(name: str) -> Any:
    # Late, so that the command line starts without numpy.
    if name not in _ROOMS:
        raise AttributeError(f"module 'hemocast' has no attribute {name!r}")
    return getattr(import_module(f"hemocast.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
