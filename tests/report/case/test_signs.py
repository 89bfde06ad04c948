"""Signs in words, with the place where each was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.pipeline.scan_signs import infarct_frames, measure_scan
from hemocast.report.case.signs import CROP, SignsView, crop_of, view_signs
from hemocast.report.pictures.sprites import make_picture
from hemocast.signs.bleeding import Bleeding, Piece
from hemocast.signs.measured import Found, Signs
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, render_head


@pytest.fixture(scope="module")
def struck() -> tuple[Found, Signs]:
    stroke = Stroke(Infarct("MCA", "left", 110.0, 4), Edema(0.22, 3.0))
    head = render_head(11, Person(74), stroke, protocol=Protocol(noise_hu=3.0))
    return measure_scan(head)


def _view(struck: tuple[Found, Signs]) -> SignsView:
    return view_signs(struck[1], infarct_frames(*struck))


def test_every_sign_is_said_with_its_interval(struck: tuple[Found, Signs]) -> None:
    rows = {row.title: row for row in _view(struck).rows}
    assert " to " in rows["Acute infarct"].value
    assert rows["Acute infarct"].about.startswith("left, MCA")
    for name in ("Water uptake", "ASPECTS", "Leukoaraiosis", "Lateral ventricles", "Midline shift"):
        assert " to " in rows[name].value
    assert any("dense artery: slices of 5.0 mm" in one for one in _view(struck).missing)


def test_none_seen_is_not_none_there(struck: tuple[Found, Signs]) -> None:
    signs = struck[1]
    assert signs.frames is not None
    none = replace(signs.frames.infarct, seen=False)
    rows = view_signs(
        replace(signs, frames=replace(signs.frames, infarct=none)), _view(struck).mask
    )
    assert rows.rows[0].value == "no infarct seen"
    assert "does not mean that there is none" in rows.rows[0].about


def test_blood_is_shown_by_place_with_a_doubt(struck: tuple[Found, Signs]) -> None:
    found, signs = struck
    frames = signs.frames
    assert frames is not None
    mm = tuple(float(one) for one in (frames.sides.to_mm @ [3, 40, 12, 1])[:3])
    bled = Bleeding((Piece("parenchyma", 2.34, "left", "MCA", 7, mm, {}),), 12)  # type: ignore[arg-type]
    rows = view_signs(replace(signs, bleeding=bled), infarct_frames(found, signs)).rows
    (row,) = (one for one in rows if one.title == "Blood, in brain tissue")
    assert row.value == "about 2.3 mL"
    assert row.about.startswith("left, territory MCA, slice 7. ")
    assert any(one.title == "Blood, under the dura" and "slice 12" in one.about for one in rows)
    assert row.place == frames.sides.place(0, 12, 40, 3)
    none = view_signs(replace(signs, bleeding=Bleeding(())), infarct_frames(found, signs)).rows
    assert any(one.value == "none seen" for one in none)


def test_no_side_is_named_where_sides_are_not_known(struck: tuple[Found, Signs]) -> None:
    found, signs = struck
    view = view_signs(replace(signs, sides_known=False), infarct_frames(found, signs))
    assert "left" not in view.rows[0].about


def test_a_small_picture_shows_its_place(struck: tuple[Found, Signs]) -> None:
    stack = struck[0].stack
    assert stack is not None
    picture = make_picture(stack, np.zeros_like(stack.frames), "none")
    place = _view(struck).rows[0].place
    assert place is not None
    x, y, left, top = crop_of(place, picture, stack)
    assert left <= x <= left + 2 * CROP
    assert top <= y <= top + 2 * CROP
    one = picture.sprites
    assert x // one.width == place.frame % one.columns
    assert y // one.height == place.frame // one.columns


def test_other_frames_show_no_places(struck: tuple[Found, Signs]) -> None:
    view = _view(struck).without_places()
    assert {row.place for row in view.rows} == {None}
    assert not view.mask.any()
    assert not any("utlined" in row.about for row in view.rows)
