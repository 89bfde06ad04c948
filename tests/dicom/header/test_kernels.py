"""Kernels: what the reader refuses for bone, the clean file still says."""

from __future__ import annotations

import pytest

from hemocast.dicom.deidentify.words import clean_kernel
from hemocast.dicom.header.kernels import bone_prefix, is_bone, is_known

BONE = ["BONE", "BONEPLUS", "BONE PLUS", "EDGE", "LUNG", "ULTRA", "HD BONE", "HDBONE", "YC", "YD",
        "YE", "FC30", "FC35", "FC52", "FC81", "H60S", "H70H", "J70H", "HR64F", "B80"]  # fmt: skip
SOFT = ["", "STANDARD", "STD+", "SOFT", "H30S", "H40S", "J40S", "HR40F", "FC26", "FC64", "UB", "YA",
        "B", "C", "HEAD", "H54S"]  # fmt: skip


@pytest.mark.parametrize("name", BONE)
def test_bone_kernels_of_all_vendors_are_told(name: str) -> None:
    assert is_bone(name)


@pytest.mark.parametrize("name", SOFT)
def test_soft_kernels_are_not(name: str) -> None:
    assert not is_bone(name)


@pytest.mark.parametrize("name", [*BONE, *SOFT, "BONE OF DR SMITH", "EDGEHILL HOSPITAL", "SMITH"])
def test_reader_and_deidentifier_agree(name: str) -> None:
    clean = clean_kernel(name, "X12AB3")
    assert is_bone(clean) == is_bone(name)
    assert "SMITH" not in clean
    assert "HILL" not in clean


def test_only_names_that_vendors_give_are_known() -> None:
    assert all(is_known(name) for name in ("H30S", "FC26", "BONE PLUS", "STD+"))
    assert not any(is_known(name) for name in ("SMITH", "H30S SMITH", "BONES"))
    assert bone_prefix("BONE OF DR SMITH") == "BONE"
