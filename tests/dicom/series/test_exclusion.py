"""Why a series is no plain head CT: from its words, then from where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hemocast.dicom.series.exclusion import (
    Exclusion,
    Words,
    axial_normal,
    coverage_mm,
    exclusion_by_words,
    exclusion_of,
)
from hemocast.errors import BoneKernel, ContrastGiven, NoCT, NoHeadSeries, TooFewSlices
from hemocast.left_out import LeftOutCode

SMALL: dict[str, Any] = {"size": 4, "pixel": 40.0}


def said(text: str = "", **fields: Any) -> LeftOutCode | None:
    usual = {"texts": (), "image_type": (), "body_part": "", "kernel": "", "contrast": ""}
    exclusion = exclusion_by_words(Words(series_text=text, **(usual | fields)))
    return exclusion and exclusion.code


@pytest.mark.parametrize(
    ("text", "fields", "code"),
    [
        ("HEAD 5MM", {}, None),
        ("HEAD", {"contrast": "OMNIPAQUE"}, LeftOutCode.CONTRAST),
        ("HEAD", {"contrast": "NONE"}, None),
        ("HEAD W/O CONTRAST", {"contrast": "OMNIPAQUE"}, None),
        ("CTA HEAD", {}, LeftOutCode.CONTRAST),
        ("CT PERFUSION", {}, LeftOutCode.PERFUSION),
        ("HEAD", {"kernel": "H70H"}, LeftOutCode.BONE_KERNEL),
        ("KNOCHEN", {}, LeftOutCode.BONE_KERNEL),
        ("ROUTINE", {"body_part": "CHEST"}, LeftOutCode.NOT_HEAD),
        ("HEAD", {"body_part": "CHEST"}, None),
        ("ROUTINE", {"texts": ("CT HEAD AND NECK",)}, None),
    ],
)
def test_words_decide(text: str, fields: dict[str, Any], code: LeftOutCode | None) -> None:
    assert said(text, **fields) is code


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (LeftOutCode.CONTRAST, ContrastGiven),
        (LeftOutCode.BONE_KERNEL, BoneKernel),
        (LeftOutCode.TOO_FEW_SLICES, TooFewSlices),
        (LeftOutCode.NOT_CT, NoCT),
        (LeftOutCode.NOT_AXIAL, NoHeadSeries),
    ],
)
def test_every_code_has_its_refusal(code: LeftOutCode, error: type[Exception]) -> None:
    refusal = Exclusion(code, "3 slices").error
    assert type(refusal) is error
    assert refusal.expected
    assert refusal.action


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"heights": (0.0, 5.0, 10.0)}, LeftOutCode.TOO_FEW_SLICES),
        ({"heights": tuple(range(0, 900, 30))}, LeftOutCode.TOO_LONG),
        ({"row": (1, 0, 0), "column": (0, 0, -1)}, LeftOutCode.NOT_AXIAL),
    ],
)
def test_places_decide_after_words(
    change: dict[str, Any],
    code: LeftOutCode | None,
    write: Callable[..., Any],
    scan: Any,
    series_of: Any,
    tmp_path: Path,
) -> None:
    write(scan(**(SMALL | change)), tmp_path)
    exclusion = exclusion_of(series_of(tmp_path))
    assert (exclusion and exclusion.code) is code


def test_coverage_counts_the_outer_slices_whole(
    write: Callable[..., Any], scan: Any, series_of: Any, tmp_path: Path
) -> None:
    write(scan(**SMALL, heights=tuple(range(0, 100, 10))), tmp_path)
    series = series_of(tmp_path)
    assert coverage_mm(series) == pytest.approx(100.0)
    assert axial_normal(series) == pytest.approx([0, 0, 1])
