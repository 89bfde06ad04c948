"""The headers of the images that a Volume was made from."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from hemocast.dicom.header.inflate import read_dataset

if TYPE_CHECKING:
    from pydicom import Dataset

    from hemocast.dicom import Series
    from hemocast.volume import Volume


def read_headers(series: Series, volume: Volume | None = None) -> tuple[Dataset, ...]:
    """Read the headers of a series, without pixels, one for every file, lowest slice first.

    Parameters
    ----------
    series : Series
        That was read.
    volume : Volume, optional
        What was made of it: images that it was not made from are left out.

    Raises
    ------
    OSError
        A file is gone.
    """
    used = None if volume is None else {uid for slice_ in volume.slices for uid in slice_}
    paths = {
        image.pixels.path: image.position
        for image in reversed(series.images)
        if used is None or image.sop_uid in used
    }
    normal = np.cross(*np.reshape(series.first.orientation or (1, 0, 0, 0, 1, 0), (2, 3)))
    order = sorted(paths, key=lambda path: float(normal @ (paths[path] or (0.0, 0.0, 0.0))))
    with warnings.catch_warnings():
        # Warnings of what a header holds would tell it.
        warnings.simplefilter("ignore")
        return tuple(read_dataset(path, with_pixels=False, force=True) for path in order)
