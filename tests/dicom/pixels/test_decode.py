from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from hemocast.anatomy.checks import check_hounsfield
from hemocast.dicom.header.images import read_images
from hemocast.dicom.pixels.decode import Bits, check, stored, to_hu, understand
from hemocast.errors import NotHounsfield, Unreadable, UnsupportedSyntax


def test_a_real_slice_whose_stream_and_header_differ_in_sign():
    (image,) = read_images(get_path("J2K_pixelrep_mismatch.dcm"))
    check(image.pixels)
    values = stored(image.pixels)
    hu = np.empty(values.shape, np.float32)
    to_hu(image.pixels, values, understand(image.pixels, values), hu)
    assert hu.min() == -1024
    assert 1000 < hu.max() < 3100
    check_hounsfield(hu)
    brain = hu[hu.shape[0] // 2 - 40 : hu.shape[0] // 2 + 40, hu.shape[1] // 2 - 40 :][:, :80]
    assert 10 < np.median(brain) < 60


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("JPGExtended.dcm", UnsupportedSyntax),
        ("SC_rgb_rle.dcm", NotHounsfield),
        ("MR_small.dcm", NotHounsfield),
    ],
)
def test_pixels_that_cannot_be_hu_are_refused_before_reading(name, error):
    (image,) = read_images(get_path(name))
    with pytest.raises(error):
        check(image.pixels)


def test_a_sound_header_is_believed():
    (image,) = read_images(get_path("CT_small.dcm"))
    check(image.pixels)
    assert understand(image.pixels, stored(image.pixels)) is Bits.AS_SAID


def get_path(name):
    path = get_testdata_file(name, download=False)
    assert path is not None
    return Path(str(path))


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm"])
def test_a_disk_that_fails_while_pixels_are_read_is_no_truncated_file(name):
    (image,) = read_images(get_path(name))
    # A regular file of which the first byte gives an I/O error.
    failing = replace(image.pixels, path=Path("/proc/self/mem"), offset=0)
    with pytest.raises(Unreadable, match="Input/output error"):
        stored(failing)
    with pytest.raises(Unreadable, match="No such file"):
        stored(replace(image.pixels, path=Path("/none")))
