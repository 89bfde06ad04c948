"""A picture that every workstation shows, and that names nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from hemocast.deliver import Kind, Result, write_objects
from hemocast.deliver.capture import make_capture
from hemocast.report.language import language


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("which", ["result", "refused"])
def test_a_capture_is_a_colour_picture_of_one_size(
    which: str, code: str, request: pytest.FixtureRequest, tmp_path: Path, artefacts: Path
) -> None:
    result: Result = replace(request.getfixturevalue(which), language=language(code), revision=2)
    (path,) = write_objects({Kind.CAPTURE: make_capture(result)}, tmp_path)
    read = dcmread(path)
    pixels = read.pixel_array
    Image.fromarray(pixels).save(artefacts / f"capture-{which}-{code}.png")
    assert pixels.shape[1:] == (1280, 3)
    assert 500 < pixels.shape[0] < 1500
    assert read.PhotometricInterpretation == "RGB"
    assert read.BurnedInAnnotation == "NO"
    assert "SIMULATED" in read.ImageComments or which == "refused"
    assert "not for clinical use" in read.ImageComments
    assert "Revision 2" in read.ImageComments
    # The notice stands at the top, in amber on brown.
    assert (np.ptp(pixels[:40].reshape(-1, 3).astype(int), axis=0) > 100).any()
