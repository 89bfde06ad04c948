"""Signs become cells; no side is named where sides are not known."""

from __future__ import annotations

from dataclasses import replace

from hemocast.pipeline.sign_cells import SIGNS, sign_cells
from hemocast.signs.dense_artery import Artery
from hemocast.signs.estimate import Estimate
from hemocast.signs.fluid import Fluid
from hemocast.signs.measured import NO_FRAMES, Signs
from hemocast.signs.midline import MidlineShift
from hemocast.signs.old_infarct import Cavity
from hemocast.signs.sides import Place
from hemocast.signs.ventricles import Ventricles

AT = Place(10, 90, 80)
ML = Estimate(20.0, 13.4, 30.0)
SOME = Signs(
    midline=MidlineShift(-4.0, 2.5, True), fluid=Fluid(0.1), calcification=None,
    artery=Artery(55.0, 44.0, 12), ventricles=Ventricles(ML, ML, ML, AT), bicaudate=None,
    leukoaraiosis=None, cavity=Cavity(3.0, "left", AT), slice_mm=1.25, sides_known=True, doubts=(),
)  # fmt: skip


def test_cells_hold_what_was_measured() -> None:
    row = sign_cells(SOME)
    assert set(row) <= set(SIGNS)
    assert row["midline_shift_mm"] == "4.0"
    assert row["midline_shift_to"] == "left"
    assert [row[f"ventricles{end}_ml"] for end in ("", "_low", "_high")] == ["20.0", "13.4", "30.0"]
    assert (row["dense_artery"], row["dense_artery_side"]) == ("1", "right")
    assert (row["old_infarct_ml"], row["old_infarct_side"]) == ("3.0", "left")
    assert "calcification_ml" not in row


def test_unknown_sides_are_not_named() -> None:
    row = sign_cells(replace(SOME, sides_known=False))
    assert row["old_infarct_side"] == "unknown"
    for name in ("ventricle_left_ml", "artery_left_hu", "dense_artery_side"):
        assert not row.get(name)


def test_none_seen_is_told_from_not_looked_for() -> None:
    assert sign_cells(replace(SOME, cavity=None))["old_infarct_ml"] == "0"
    unseen = replace(SOME, cavity=None, missing={"old_infarct": NO_FRAMES})
    assert "old_infarct_ml" not in sign_cells(unseen)
