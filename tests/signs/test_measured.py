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
