"""The headers of the slices that were read, lowest first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset

from hemocast.deliver import read_headers
from hemocast.dicom import find_scans
from hemocast.dicom.series.found import Series
from hemocast.volume import Source, Volume


def test_headers_are_those_of_the_slices_that_were_used(headers: tuple[Dataset, ...]) -> None:
    folder = Path(headers[0].filename).parent
    found = find_scans(folder)
    series = found.scans[0].series
    again = read_headers(Series(series.images[::-1]))
    assert [one.SOPInstanceUID for one in again] == [one.SOPInstanceUID for one in headers]
    assert all("PixelData" not in one for one in again)
    used = tuple((str(one.SOPInstanceUID),) for one in headers[2:5])
    volume = Volume(np.zeros((3, 2, 2), np.float32), np.eye(4), used, Source("dicom", "x"))
    assert [one.InstanceNumber for one in read_headers(series, volume)] == [3, 4, 5]
