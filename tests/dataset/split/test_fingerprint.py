"""Copies are told from second scans and from other patients, on simulated heads and a real one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemocast import dicom
from hemocast.dataset.split.fingerprint import (
    FLIPS,
    SAME_OUTLINE,
    SAME_TEXTURE,
    fingerprint,
    flip_outline,
    flip_slices,
    similarity,
    texture,
)
from hemocast.simulate import Head, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.volume import FloatArray

PATIENTS = 4


def _scan(head: Head, seed: int, degrees: float = 0.0, mm: float = 0.0) -> FloatArray:
    protocol = Protocol(rotation_degrees=(degrees, 0, degrees), shift_mm=(mm, mm, mm))
    return scan_head(head, protocol, np.random.default_rng(seed)).hu


@pytest.fixture(scope="module")
def heads() -> list[Head]:
    """Patients, one of them with an infarct."""
    stroke = Stroke(Infarct("MCA", "left", 60.0))
    return [
        build_head(
            np.random.default_rng(seed),
            Person(55.0 + 8 * seed, bool(seed % 2)),
            stroke if seed == 1 else None,
        )
        for seed in range(PATIENTS)
    ]


@pytest.fixture(scope="module")
def scans(heads: list[Head]) -> list[FloatArray]:
    """One scan of each."""
    return [_scan(head, 100 + i) for i, head in enumerate(heads)]


@pytest.fixture(scope="module")
def real(ge_head: Path) -> FloatArray:
    """Return the real head."""
    return dicom.read(ge_head).hu


def _window(hu: FloatArray, low: float, high: float) -> FloatArray:
    return np.rint((np.clip(hu, low, high) - low) / (high - low) * 255).astype(np.float32)


def _jpeg(hu: FloatArray, quality: int) -> FloatArray:
    slices = []
    for plane in _window(hu, 0, 80):
        stream = io.BytesIO()
        Image.fromarray(plane.astype(np.uint8)).save(stream, "JPEG", quality=quality)
        slices.append(np.asarray(Image.open(stream), dtype=np.float32))
    return np.stack(slices)


EXPORTS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "rescaled": lambda hu: 1.3 * hu + 200,
    "eight bits": lambda hu: _window(hu, -1000, 1000),
    "brain window": lambda hu: _window(hu, 0, 80),
    "JPEG 75": lambda hu: _jpeg(hu, 75),
    "JPEG 50": lambda hu: _jpeg(hu, 50),
    "noise": lambda hu: hu + np.random.default_rng(0).normal(0, 3, hu.shape).astype(np.float32),
    "first slice lost": lambda hu: hu[1:],
    "two slices lost": lambda hu: hu[:-2],
    "half the matrix": lambda hu: (hu[:, ::2, ::2] + hu[:, 1::2, ::2][:, : hu.shape[1] // 2]) / 2,
    "upside down": lambda hu: hu[::-1],
}


def _likeness(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    a, b = fingerprint(first), fingerprint(second)
    return float(a.outline @ b.outline), similarity(texture(first), texture(second))


@pytest.mark.parametrize("export", EXPORTS)
def test_a_copy_is_known_whatever_export_did(scans: list[FloatArray], export: str) -> None:
    outline, same = _likeness(scans[1], EXPORTS[export](scans[1]))
    assert outline > SAME_OUTLINE
    assert same > SAME_TEXTURE + 0.05


@pytest.mark.parametrize("export", ["rescaled", "JPEG 75", "first slice lost"])
def test_a_copy_of_a_real_scan_is_known(real: FloatArray, export: str) -> None:
    outline, same = _likeness(real, EXPORTS[export](real))
    assert outline > SAME_OUTLINE
    assert same > SAME_TEXTURE + 0.05


@pytest.mark.parametrize("flip", FLIPS)
def test_a_flipped_copy_is_known_when_flipped_back(
    scans: list[FloatArray], flip: tuple[bool, bool]
) -> None:
    flipped = flip_slices(scans[0], flip)
    outline = flip_outline(fingerprint(flipped).outline, flip)
    assert outline @ fingerprint(scans[0]).outline > 0.99
    assert similarity(texture(scans[0]), flip_slices(texture(flipped), flip)) > 0.95


def test_other_patients_are_never_taken_for_copies(
    scans: list[FloatArray], real: FloatArray
) -> None:
    textures = [texture(hu) for hu in (*scans, real)]
    pairs = [similarity(a, b) for i, a in enumerate(textures) for b in textures[:i]]
    assert max(pairs) < 0.25


@pytest.mark.parametrize(("degrees", "mm", "limit"), [(1.0, 1.0, 0.5), (2.0, 2.0, 0.25)])
def test_a_second_scan_of_a_patient_is_no_copy(
    heads: list[Head], scans: list[FloatArray], degrees: float, mm: float, limit: float
) -> None:
    for i in (0, 1):
        again = texture(_scan(heads[i], 200 + i, degrees, mm))
        assert similarity(texture(scans[i]), again) < limit


def test_the_hash_is_of_the_pixels_and_nothing_else(scans: list[FloatArray]) -> None:
    hu = scans[0]
    assert fingerprint(np.rint(hu)).pixels == fingerprint(np.rint(hu).astype(np.int16)).pixels
    changed = np.rint(hu)
    changed[3, 100, 100] += 1
    assert fingerprint(changed).pixels != fingerprint(np.rint(hu)).pixels
    assert fingerprint(hu[:, ::-1]).pixels != fingerprint(hu).pixels


def test_empty_and_tiny_scans_are_unlike_everything() -> None:
    for hu in (np.zeros((10, 64, 64)), np.full((1, 3, 200), -1000.0)):
        assert np.isfinite(fingerprint(hu).outline).all()
        assert similarity(texture(hu), texture(hu)) == 0
