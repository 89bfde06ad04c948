"""False alarms of the search for text burned into axial slices, and how much text it finds.

Run: ``python benchmarks/burned_in_alarms.py [HEADS]``. Simulated heads in their holder (seeds 0,
1, ...; 512 x 512), each once as it is and once with a short word drawn into a corner.
"""

from __future__ import annotations

import sys

import numpy as np

from hemocast.dicom.deidentify.burned_in import Marks
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, scan_head

LETTER = np.array([[1, 0, 0, 0, 1], [1, 1, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 1, 1],
                   [1, 0, 0, 0, 1]], bool)  # fmt: skip


def slices_told(hu: np.ndarray) -> int:
    """Slices in which something in the air stands still; whole HU, as a file holds them."""
    marks = Marks()
    for frame in np.rint(hu).astype(np.float32):
        marks.add(frame)
    return marks.slices


def main() -> None:
    """Print how many heads are told, without and with text."""
    heads = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    stroke = Stroke(Infarct("MCA", "left", 80.0), Edema(0.15))
    alarms = found = slices = 0
    for seed in range(heads):
        rng = np.random.default_rng(seed)
        head = build_head(rng, Person(50 + seed % 40, van_swieten=(0, 0)), stroke)
        hu = scan_head(head, Protocol(matrix=512, holder=True), rng).hu
        slices += len(hu)
        alarms += slices_told(hu) > 0
        hu[:, 5:10, 5:29] = np.where(
            np.kron([[1, 1, 1, 1]], np.pad(LETTER, ((0, 0), (0, 1)))), 1000, -1000
        )
        found += slices_told(hu) > 0
    print(f"{heads} heads, {slices} slices: {alarms} false alarms; text found in {found}")


if __name__ == "__main__":
    main()
