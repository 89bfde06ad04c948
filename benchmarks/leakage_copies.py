"""How sure is check-leakage of copies? Likeness of copies, second scans and other patients.

Run: ``python benchmarks/leakage_copies.py [HEADS]``. Simulated heads; every copy found and every
false alarm is counted at the limits that the package uses.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from hemocast.dataset.split.fingerprint import (
    FLIPS,
    SAME_OUTLINE,
    SAME_TEXTURE,
    fingerprint,
    flip_outline,
    similarity,
    texture,
)
from hemocast.simulate import Head, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.volume import FloatArray


def make_head(seed: int) -> Head:
    """Make a patient; half of them have an infarct."""
    stroke = Stroke(Infarct("MCA", "left", 60.0)) if seed % 2 else None
    person = Person(45.0 + seed % 45, bool(seed % 3))
    return build_head(np.random.default_rng(seed), person, stroke)


def scan(head: Head, seed: int, degrees: float = 0.0, mm: float = 0.0) -> FloatArray:
    """Scan a head, turned and moved by so much."""
    protocol = Protocol(rotation_degrees=(degrees, 0, degrees), shift_mm=(mm, mm, mm))
    return scan_head(head, protocol, np.random.default_rng(seed)).hu


def window(hu: FloatArray, low: float, high: float) -> FloatArray:
    """Export in eight bits."""
    return np.rint((np.clip(hu, low, high) - low) / (high - low) * 255).astype(np.float32)


def jpeg(hu: FloatArray, quality: int) -> FloatArray:
    """Export as JPEG with a brain window."""
    slices = []
    for plane in window(hu, 0, 80):
        stream = io.BytesIO()
        Image.fromarray(plane.astype(np.uint8)).save(stream, "JPEG", quality=quality)
        slices.append(np.asarray(Image.open(stream), dtype=np.float32))
    return np.stack(slices)


EXPORTS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "other slope and intercept": lambda hu: 1.3 * hu + 200,
    "8 bits, -1000 to 1000 HU": lambda hu: window(hu, -1000, 1000),
    "8 bits, 0 to 80 HU": lambda hu: window(hu, 0, 80),
    "JPEG quality 75, 0 to 80 HU": lambda hu: jpeg(hu, 75),
    "JPEG quality 50, 0 to 80 HU": lambda hu: jpeg(hu, 50),
    "noise of 5 HU added": lambda hu: (
        hu + np.random.default_rng(0).normal(0, 5, hu.shape).astype(np.float32)
    ),
    "a slice lost at the bottom": lambda hu: hu[1:],
    "two slices lost at the top": lambda hu: hu[:-2],
    "upside down": lambda hu: hu[::-1],
}


def report(name: str, outlines: list[float], textures: list[float]) -> None:
    """Print one line: range of likeness, and how many would be called copies."""
    called = [
        a >= SAME_OUTLINE and b >= SAME_TEXTURE for a, b in zip(outlines, textures, strict=True)
    ]
    print(
        f"{name:<34} outline {min(outlines):.3f} to {max(outlines):.3f}   texture "
        f"{min(textures):.3f} to {max(textures):.3f}   called copies {sum(called)} of {len(called)}"
    )


def main(n: int) -> None:
    """Measure."""
    heads = [make_head(seed) for seed in range(n)]
    scans = [scan(head, 1000 + i) for i, head in enumerate(heads)]
    start = time.perf_counter()
    outlines = [fingerprint(hu).outline for hu in scans]
    textures = [texture(hu) for hu in scans]
    print(f"{(time.perf_counter() - start) / n:.2f} s per scan of {scans[0].shape}")

    def against(i: int, hu: FloatArray) -> tuple[float, float]:
        return float(outlines[i] @ fingerprint(hu).outline), similarity(textures[i], texture(hu))

    for name, export in EXPORTS.items():
        found = [against(i, export(scans[i])) for i in range(0, n, 4)]
        report(name, [a for a, _ in found], [b for _, b in found])
    for degrees, mm in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 2.0), (5.0, 4.0)):
        found = [against(i, scan(heads[i], 5000 + i, degrees, mm)) for i in range(0, n, 2)]
        name = f"second scan, {degrees:g} degrees, {mm:g} mm"
        report(name, [a for a, _ in found], [b for _, b in found])
    pairs = [(i, j) for i in range(n) for j in range(i)]
    alike = [
        max(float(outlines[i] @ flip_outline(outlines[j], flip)) for flip in FLIPS)
        for i, j in pairs
    ]
    report("other patients", alike, [similarity(textures[i], textures[j]) for i, j in pairs])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
