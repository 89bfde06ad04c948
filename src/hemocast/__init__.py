"""Hemocast: predict hemorrhagic transformation after ischemic stroke from a plain head CT.

For research; not a medical device. The whole public API::

    volume = hemocast.read("scan_folder")        # DICOM folder, zip or NIfTI -> Volume
    model = hemocast.load("model_folder")        # -> Model
    prediction = model.predict(volume)           # -> Prediction
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hemocast.version import VERSION

if TYPE_CHECKING:
    from hemocast.dicom import read
    from hemocast.model import load

__version__ = VERSION
__all__ = ["load", "read"]


def __getattr__(name: str) -> Any:
    # Late, so that the command line starts without numpy.
    if name == "read":
        from hemocast.dicom import read

        return read
    if name == "load":
        from hemocast.model import load

        return load
    raise AttributeError(f"module 'hemocast' has no attribute {name!r}")
