"""All signs at once; what is missing is told with its reason."""

from __future__ import annotations

from dataclasses import replace

from hemocast.signs.measured import NO_FRAMES, Found, measure_signs


def test_the_real_head_has_no_dense_artery_and_says_why(ge_found: Found) -> None:
    signs = measure_signs(ge_found)
    assert signs.artery is None
    assert "4.0 mm" in signs.missing["dense_artery"]
    assert "fazekas" in signs.missing
    assert signs.frames is not None
    assert signs.frames.ventricles is not None
    assert signs.frames.cavity is None
    assert "old_infarct" not in signs.missing, "it was looked for"


def test_without_frames_what_needs_them_is_missing(ge_found: Found) -> None:
    signs = measure_signs(replace(ge_found, stack=None))
    for name in ("infarct", "aspects", "ventricles", "bicaudate", "leukoaraiosis", "old_infarct"):
        assert signs.missing[name] == NO_FRAMES
    assert signs.frames is None
    assert signs.midline is not None


def test_the_real_head_is_as_its_picture_shows(ge_found: Found) -> None:
    """A dark wedge in the left occipital lobe, calcified plexus and pineal; no bleed, no shift."""
    signs = measure_signs(ge_found)
    frames, bleeding = signs.frames, signs.bleeding
    assert frames is not None
    assert (frames.infarct.side, frames.infarct.territory) == ("left", "PCA")
    assert frames.aspects is not None
    assert frames.aspects.score.value == 10
    assert bleeding is not None
    assert (bleeding.pieces, bleeding.rim_slice) == ((), None)
    assert signs.midline is not None
    assert signs.midline.side == "unknown"
    assert signs.calcification is not None
    assert 1 <= signs.calcification.places <= 4
    assert 0.05 < signs.fluid.share < 0.15
    assert frames.bicaudate is not None
    assert 0.1 < frames.bicaudate.ratio.value < 0.25
    assert frames.leukoaraiosis is not None
    assert frames.leukoaraiosis.grade.low <= 1 <= frames.leukoaraiosis.grade.high
