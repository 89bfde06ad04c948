"""Reading a scan, geometry and all, against pydicom decoding the same files and no more.

Run: ``python benchmarks/dicom_reading.py [ROUNDS]``. The other side reads each file and takes its
`pixel_array`: no order, no CT numbers, no volume.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from series import generated, real_head
from timing import interleaved, print_where

LIMIT = 1.5


def compare(name: str, folder: Path, rounds: int) -> None:
    """Time both on one folder and print the ratio."""
    from pydicom import dcmread

    from hemocast.dicom import read

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    runs = {
        "hemocast": lambda: read(folder),
        "pydicom": lambda: [dcmread(path).pixel_array for path in files],
    }
    seconds, ratio = interleaved(runs, rounds)
    both = ", ".join(f"{who} {1000 * value:.0f} ms" for who, value in seconds.items())
    print(f"{name}: {both}, ratio {ratio('hemocast', 'pydicom'):.2f} (at most {LIMIT})")


def main(rounds: int) -> None:
    """Compare on the real and on a generated series."""
    print_where()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        head = real_head(root / "ge")
        if head:
            compare("28 slices 512x512, real, tilted, uneven", head, rounds)
        compare("200 slices 512x512, generated", generated(root / "made", 200), rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
