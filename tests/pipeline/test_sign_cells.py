"""Signs become cells; no side is named where sides are not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.anatomy.atlas.solids import Points
from hemocast.classical.scores import read_patients
from hemocast.files import table_text
from hemocast.pipeline.sign_cells import SIGNS, measured_cells, sign_cells
from hemocast.signs.aspects import Aspects, Region
from hemocast.signs.bleeding import Bleeding, Piece
from hemocast.signs.dense_artery import Artery
from hemocast.signs.estimate import Estimate
from hemocast.signs.fluid import Fluid
from hemocast.signs.infarct import Infarct
from hemocast.signs.measured import OfFrames, Signs
from hemocast.signs.midline import MidlineShift
from hemocast.signs.old_infarct import Cavity
from hemocast.signs.sides import Place, Sides
from hemocast.signs.ventricles import Ventricles

AT = Place(10, 90, 80)
ML = Estimate(20.0, 13.4, 30.0)
GRID = np.zeros((2, 28, 96, 48), np.bool_)
SHARES = {"MCA": 0.8, "ACA": 0.2}
INFARCT = Infarct(True, ML, "left", SHARES, 0.4, Estimate(0.12, 0.08, 0.2), GRID, AT)
ASPECTS = Aspects(Estimate(7, 5, 9), (Region("M1", True, 0.9, 3.1, 0.7, 0.8, AT),))
SIDES = Sides(*[GRID.astype(np.float32)] * 3, Points(*[np.zeros(1, np.float32)] * 3), np.eye(4), 1)
FRAMES = OfFrames(
    SIDES, INFARCT, ASPECTS, Ventricles(ML, ML, ML, AT), None, None, Cavity(3.0, "left", AT)
)
BLED = Bleeding(
    (Piece("parenchyma", 3.14, "left", "MCA", 9, (0, 0, 0), {}),
     Piece("ventricles", 1.0, None, None, 8, (0, 0, 0), {})), 14
)  # fmt: skip
SOME = Signs(
    midline=MidlineShift(-4.0, 2.5, True), fluid=Fluid(0.1), calcification=None,
    artery=Artery(55.0, 44.0, 12), bleeding=BLED, frames=FRAMES, slice_mm=1.25,
    sides_known=True, doubts=(),
    missing={"calcification": "metal is near"},
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
    assert (row["blood_ml"], row["blood_parenchyma_ml"]) == ("4.1", "3.1")
    assert (row["blood_ventricles_ml"], row["blood_subarachnoid_ml"]) == ("1.0", "0.0")
    assert (row["blood_side"], row["blood_territory"], row["blood_slice"]) == ("left", "MCA", "9")
    assert (row["blood_under_dura"], row["blood_under_dura_slice"]) == ("1", "14")
    ends = [row[f"infarct{end}_ml"] for end in ("", "_low", "_high")]
    assert ends == ["20.0", "13.4", "30.0"]
    assert (row["infarct_seen"], row["infarct_side"], row["infarct_territory"]) == (
        "1",
        "left",
        "MCA",
    )
    assert (row["hypodensity"], row["territory"]) == ("third_or_more", "mca")
    assert [row[f"aspects{end}"] for end in ("", "_low", "_high")] == ["7", "5", "9"]
    assert (row["aspects_m1"], row["aspects_m1_darker_hu"]) == ("1", "3.1")
    assert measured_cells(SOME)["not_measured"] == "calcification: metal is near"


def test_unknown_sides_are_not_named() -> None:
    row = sign_cells(replace(SOME, sides_known=False))
    assert row["old_infarct_side"] == row["infarct_side"] == "unknown"
    for name in ("ventricle_left_ml", "artery_left_hu", "dense_artery_side"):
        assert not row.get(name)


def test_none_seen_is_told_from_not_looked_for() -> None:
    none = Infarct(False, Estimate(0, 0, 30.0), None, {}, 0.0, None, GRID, None)
    frames = replace(FRAMES, cavity=None, infarct=none)
    row = sign_cells(replace(SOME, frames=frames))
    assert row["old_infarct_ml"] == "0"
    assert (row["infarct_seen"], row["infarct_ml"], row["infarct_high_ml"]) == ("0", "0.0", "30.0")
    assert (row["hypodensity"], row["early_infarct_signs"]) == ("none", "0")
    assert "infarct_side" not in row
    unseen = sign_cells(replace(SOME, frames=None))
    assert not {"old_infarct_ml", "infarct_seen", "aspects"} & set(unseen)


@pytest.mark.parametrize("simulated", ["0", "1"])
def test_scores_take_the_cells(tmp_path: Path, simulated: str) -> None:
    row = {"participant_id": "sub-1", "scan_id": "scan-1", **measured_cells(SOME)}
    (tmp_path / "signs.csv").write_text(table_text([row | {"simulated": simulated}], list(row)))
    (tmp_path / "clinical.csv").write_text("participant_id,nihss,dense_artery\nsub-1,12,0\n")
    (patient,) = read_patients(tmp_path / "clinical.csv", tmp_path / "signs.csv").rows
    aspects, artery = patient.facts["aspects"], patient.facts["dense_artery"]
    assert (aspects.value, aspects.low, aspects.high, aspects.measured) == (7, 5, 9, True)
    assert (artery.value, artery.overruled, artery.measured) == ("no", "yes", False)
    assert patient.facts["hypodensity"].measured
