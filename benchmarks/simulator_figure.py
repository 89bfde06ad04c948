"""Make the pictures of the simulator in docs/images; print the numbers of docs/lab/simulator.md.

Run: ``HEMOCAST_TEST_DATA=... python benchmarks/simulator_figure.py [docs/images]``. The folder of
test data must hold the real head, which is part of the pictures (see `ATTRIBUTION`).
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from realism import (
    EDGES,
    FREQUENCY,
    HISTOGRAM,
    LIKE_REAL,
    Measured,
    Scan,
    measure_scan,
    overlap,
    real_scan,
    simulated_scan,
)
from scipy import ndimage

from hemocast.anatomy import align, find_brain
from hemocast.simulate import (
    Bleed,
    Edema,
    Infarct,
    Person,
    Protocol,
    Stroke,
    build_head,
    scan_head,
)
from hemocast.simulate.disease.bleed import Grade
from hemocast.simulate.disease.swelling import midline_shift_mm
from hemocast.simulate.scanner.response import draw_response
from hemocast.simulate.scanner.scan import Frames

SEEDS = (0, 2, 3)
ATTRIBUTION = (
    "Real head: ge_head_tilted, dcm_qa_ct, BSD-2-Clause, (c) 2019 Chris Rorden; volume provided by "
    "Aliza Medical Imaging"
)
LEVELS = {
    "petrous bones": (0.0, -38.0, -34.0),
    "basal ganglia": (0.0, 0.0, 2.0),
    "ventricles": (0.0, -10.0, 21.0),
    "vertex": (0.0, -20.0, 57.0),
}
"""Where each row of slices passes the midline, MNI mm."""

CENTRE, SIZE = np.array([0.0, -17.0, 5.0]), 0.93
RANGES = {"grey": (37, 41), "white": (25, 32), "fluid": (0, 12)}
WIDE, HIGH = 174.0, 208.0
BLUE, ORANGE = "#0b5c6b", "#c2570c"


PLAIN = Person(68.0, van_swieten=(0, 0))


@dataclass(frozen=True)
class Case:
    """One lesion to show."""

    title: str
    seed: int
    hours: float = 24.0
    infarct: Infarct | None = None
    person: Person = PLAIN
    hyperdense: bool = False
    bleed: Bleed | None = None


def cases() -> tuple[Case, ...]:
    """Return the lesions, in the order of the picture."""
    big, mca = Infarct("MCA", "left", 150.0, 5), Infarct("MCA", "right", 90.0, 21)
    blood: dict[Grade, float] = {"HI1": 2.5, "HI2": 8.0, "PH1": 20.0, "PH2": 36.0}
    return (
        Case("MCA 150 mL, 3 h", 5, hours=3, infarct=big),
        Case("the same, 72 h, shift 7 mm", 5, hours=72, infarct=big),
        Case("MCA superior 70 mL, 24 h", 7, infarct=Infarct("MCA superior", "right", 70.0, 2)),
        Case("MCA inferior 60 mL, 24 h", 8, infarct=Infarct("MCA inferior", "left", 60.0, 4)),
        Case("MCA deep 20 mL, 24 h", 9, infarct=Infarct("MCA deep", "right", 20.0, 1)),
        Case("ACA 40 mL, 48 h", 10, hours=48, infarct=Infarct("ACA", "left", 40.0, 2)),
        Case("PCA 60 mL, 72 h", 11, hours=72, infarct=Infarct("PCA", "left", 60.0, 0)),
        Case("cerebellar 25 mL, 48 h", 12, hours=48, infarct=Infarct("cerebellar", "right", 25.0)),
        Case("lacune 1.2 mL, 48 h", 13, hours=48, infarct=Infarct("lacunar", "right", 1.2, 6)),
        Case("pons 2.5 mL, 48 h", 14, hours=48, infarct=Infarct("pons", "left", 2.5, 1)),
        Case("hyperdense MCA, 3 h", 15, hours=3, infarct=mca, hyperdense=True),
        Case("old MCA infarct 20 mL", 16,
             person=replace(PLAIN, old_infarct=Infarct("MCA superior", "left", 20.0, 7))),
        Case("van Swieten 2 + 2, age 80", 17, person=Person(80, van_swieten=(2, 2))),
        Case("atrophy, age 88", 18, person=Person(88, van_swieten=(1, 1))),
        *(Case(f"{name} {ml:g} mL", 21, hours=60, infarct=mca, bleed=Bleed(name, ml))
          for name, ml in blood.items()),
    )  # fmt: skip


def uptake_at(hours: float) -> float:
    """Return the middle patient's water uptake."""
    return float(0.24 * -np.expm1(-hours / 14))


def tile(frame: NDArray[np.float32], pixel: float, width: int) -> Image.Image:
    """Return a slice at W 80 L 40, cut to the head, `width` pixels wide."""
    inside = np.argwhere(ndimage.binary_opening(frame > -300, iterations=5))
    middle = (inside.min(axis=0) + inside.max(axis=0)) / 2 if len(inside) else [256, 256]
    half = np.array([HIGH, WIDE]) / 2 / pixel
    top, left = (round(m - h) for m, h in zip(middle, half, strict=True))
    grey = np.round(np.clip(frame / 80, 0, 1) * 255).astype(np.uint8)
    box = (left, top, left + int(2 * half[1]), top + int(2 * half[0]))
    size = (width, round(width * HIGH / WIDE))
    return Image.fromarray(grey).crop(box).resize(size, Image.Resampling.BOX)


def font(points: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return matplotlib's own font, which is always there."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / name), points)


def sheet(tiles: list[list[tuple[Image.Image, str, bool]]], foot: str) -> Image.Image:
    """Lay tiles in rows, each with its words and, where simulated, the mark."""
    width, height = tiles[0][0][0].size
    gap, strip = 4, 34
    rows, columns = len(tiles), max(map(len, tiles))
    page = Image.new("L", (columns * (width + gap) - gap, rows * (height + strip) + 24), 0)
    draw = ImageDraw.Draw(page)
    for i, row in enumerate(tiles):
        for j, (image, words, simulated) in enumerate(row):
            x, y = j * (width + gap), i * (height + strip)
            page.paste(image, (x, y + strip))
            mark = "SIMULATED" if simulated else "REAL"
            draw.text((x + 3, y + 2), mark, 255, font(11, bold=True))
            draw.text((x + 3, y + 17), words, 210, font(12))
    draw.text((3, page.height - 19), foot, 210, font(11))
    return page


def slice_at(scan: Scan, mni: tuple[float, float, float]) -> int:
    """Return the slice whose plane passes a place of the upright head."""
    pose = align(scan.volume, find_brain(scan.volume))
    ras = pose.matrix @ [*(SIZE * (np.array(mni) - CENTRE)), 1]
    normal = np.cross(scan.orientation[:3], scan.orientation[3:])
    away = (scan.positions - np.array([-1, -1, 1]) * ras[:3]) @ normal
    return int(np.abs(away).argmin())


def heads_picture(real: Scan, simulated: dict[int, Scan]) -> Image.Image:
    """Return simulated heads beside the real one, level by level."""
    rows = []
    for name, scan in [("GE HiSpeed", real), *((f"seed {s}", v) for s, v in simulated.items())]:
        row = []
        for level, mni in LEVELS.items():
            image = tile(scan.hu[slice_at(scan, mni)], scan.pixel_mm, 250)
            row.append((image, f"{name}, {level}", scan is not real))
        rows.append(row)
    return sheet(rows, ATTRIBUTION + ". W 80 L 40.")


def scan_case(
    case: Case, edema: Edema, protocol: Protocol, rng: np.random.Generator | None = None
) -> Frames:
    """Scan the head of a case."""
    stroke = case.infarct and Stroke(case.infarct, edema, case.hyperdense, case.bleed)
    return scan_head(
        build_head(np.random.default_rng(case.seed), case.person, stroke), protocol, rng
    )


def lesion_tile(case: Case) -> Image.Image:
    """Return the slice that shows a case best: the one that differs most from a head without."""
    uptake = uptake_at(case.hours)
    shift = float(midline_shift_mm(case.infarct.volume_ml, uptake)) if case.infarct else 0.0

    # Chosen without swelling, so that two times of one head show the same level.
    small = Protocol(matrix=128, slice_mm=5.0)
    seen = scan_case(case, Edema(uptake), small)
    change = seen.infarct
    plain = replace(
        case, hyperdense=False, bleed=None, person=Person(case.person.age, van_swieten=(0, 0))
    )
    if case != plain:
        without = scan_case(plain, Edema(uptake), small)
        change = np.abs(np.clip(seen.hu, 0, 80) - np.clip(without.hu, 0, 80))
    best = int(change.sum(axis=(1, 2)).argmax())
    protocol = Protocol(matrix=512, slice_mm=5.0, noise_hu=3.2)
    frames = scan_case(case, Edema(uptake, shift), protocol, np.random.default_rng([case.seed, 1]))
    return tile(frames.hu[best], frames.pixel_mm, 200)


def lesions_picture() -> Image.Image:
    """Return one tile for every case, six to a row."""
    tiles = [(lesion_tile(case), case.title, True) for case in cases()]
    foot = (
        "All simulated; no patient is shown. 5 mm slices, W 80 L 40, patient's right at the left."
    )
    return sheet([tiles[k : k + 6] for k in range(0, len(tiles), 6)], foot)


def numbers_picture(real: Measured, simulated: dict[int, Measured]) -> Image.Image:
    """Return histograms, tissues, noise and edges, simulated against real."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(11, 6.4), layout="constrained")
        axes = figure.subplots(2, 3)
        middle = (HISTOGRAM[:-1] + HISTOGRAM[1:]) / 2
        frequency = (FREQUENCY[:-1] + FREQUENCY[1:]) / 2
        for scan, colour, words in _series(real, simulated):
            axes[0, 0].plot(middle, scan.brain, color=colour, label=words)
            axes[0, 2].plot(frequency, scan.spectrum, color=colour)
            for axis, name in zip(axes[1], EDGES, strict=True):
                axis.plot(*scan.edges[name], color=colour)
        axes[0, 0].set(title="CT numbers in the brain mask", xlabel="HU", ylabel="share per HU")
        axes[0, 0].legend(frameon=False, loc="upper left", fontsize=8)
        _tissue_panel(axes[0, 1], real, simulated)
        axes[0, 2].set(title="Noise and texture, flat places", xlabel="cycles per mm",
                       ylabel="power, HU$^2$ mm$^2$", yscale="log", xlim=(0, 0.9),
                       ylim=(0.05, 200))  # fmt: skip
        for axis, name in zip(axes[1], EDGES, strict=True):
            axis.set(title=f"Edge: {name}", xlabel="mm from the edge", ylabel="HU, median")
        axes[1, 1].set(ylim=(15, 120), xlim=(-12, 0))
        figure.suptitle("SIMULATED heads (orange) against one real head (blue)", fontsize=11)
        data = io.BytesIO()
        figure.savefig(data, dpi=110)
    return Image.open(data).convert("RGB").quantize(32)


def _series(real: Measured, simulated: dict[int, Measured]) -> list[tuple[Measured, str, str]]:
    first, *rest = simulated.values()
    named = [(first, ORANGE, f"simulated, {len(simulated)} heads")]
    return [*named, *((one, ORANGE, "") for one in rest), (real, BLUE, "real (GE)")]


def _tissue_panel(axis: Any, real: Measured, simulated: dict[int, Measured]) -> None:
    for k, (name, (low, high)) in enumerate(RANGES.items()):
        axis.fill_between([k - 0.35, k + 0.35], low, high, color="#d8dde2", lw=0)
        values = [getattr(scan, name) for scan in simulated.values()]
        axis.plot(np.linspace(k + 0.05, k + 0.25, len(values)), values, "o", color=ORANGE)
        axis.plot(k - 0.15, getattr(real, name), "s", color=BLUE)
    axis.set_xticks(range(3), ["deep grey", "deep white", "ventricle"])
    axis.set(title="Medians; grey boxes: textbook ranges", ylabel="HU", ylim=(0, 45))


def report(name: str, scan: Measured, real: Measured) -> None:
    """Print one line of the table."""
    edge = dict(zip(*scan.edges["brain and inner table"], strict=True))
    rim = [edge[min(edge, key=lambda d: abs(d + mm))] for mm in (6.25, 3.25, 1.25)]
    bone = " ".join(f"{value:.0f}" for value in scan.bone)
    print(
        f"{name}: grey {scan.grey:.0f}, white {scan.white:.0f}, fluid {scan.fluid:.0f}, "
        f"noise {scan.noise:.2f}, overlap {overlap(scan.brain, real.brain):.2f}, bone {bone}, "
        f"{scan.thickness:.1f} mm thick, 6/3/1 mm within the inner table {rim[0]:.0f} {rim[1]:.0f} "
        f"{rim[2]:.0f}"
    )
    lowest, middle = scan.spectrum[:3].sum() / real.spectrum[:3].sum(), (FREQUENCY[1:] > 0.2)
    middle &= FREQUENCY[1:] < 0.75
    ratio = scan.spectrum[middle] / real.spectrum[middle]
    print(
        f"  above 40 HU {scan.brain[HISTOGRAM[:-1] >= 40].sum():.2f}; power against the real head: "
        f"below 0.15 per mm {lowest:.2f}, 0.2 to 0.75 {ratio.min():.2f} to {ratio.max():.2f}"
    )


def main() -> None:
    """Write the pictures and print the numbers."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images")
    real = real_scan(Path(os.environ["HEMOCAST_TEST_DATA"]))
    simulated = {seed: simulated_scan(seed) for seed in SEEDS}
    measured, others = measure_scan(real), {k: measure_scan(v) for k, v in simulated.items()}
    report("real", measured, measured)
    for seed, one in others.items():
        report(f"simulated {seed}", one, measured)
    numbers_picture(measured, others).save(out / "simulator-numbers.png", optimize=True)
    looks = {
        seed: simulated_scan(seed, protocol=replace(
            LIKE_REAL, response=draw_response(np.random.default_rng([seed, 9]))
        ))
        for seed in SEEDS
    }  # fmt: skip
    pictures = {"heads": heads_picture(real, looks), "lesions": lesions_picture()}
    for name, picture in pictures.items():
        picture.save(out / f"simulator-{name}.jpg", quality=80, optimize=True)


if __name__ == "__main__":
    main()
