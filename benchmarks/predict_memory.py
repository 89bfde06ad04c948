"""Memory of one long ``hemocast predict``: it must not grow with the number of scans.

    python benchmarks/predict_memory.py SCAN [--n 300]

SCAN (a DICOM folder, zip or NIfTI) is given under n names of a dataset. Prints the resident memory
of the command after each 25 scans, as Linux tells it, and the last over the first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import print_where

from hemocast.dataset.scan_id import ScanId
from hemocast.dicom import read, write_nifti

EVERY = 25
HEMOCAST = Path(sys.executable).with_name("hemocast")


def copies(scan: Path, folder: Path, n: int) -> list[Path]:
    """Write a scan once and link it under n names."""
    volume = read(scan)
    original = folder / "scan.nii.gz"
    write_nifti(volume.hu, volume.affine, original)
    paths = [folder / ScanId.numbered(f"sub-{i:012x}", 1).file_name for i in range(1, n + 1)]
    for path in paths:
        path.hardlink_to(original)
    return paths


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Run the command and print its memory as it goes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scan", type=Path)
    parser.add_argument("--n", type=int, default=300)
    options = parser.parse_args()
    print_where()
    found: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        paths = copies(options.scan, Path(name), options.n)
        command = [HEMOCAST, "predict", *paths, "--out", Path(name) / "out"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            lines = (line for line in process.stdout or () if " done " in line)
            for case, _ in enumerate(lines, start=1):
                if case % EVERY == 0:
                    found.append(resident_mb(process.pid))
                    print(f"{case:5} scans {found[-1]:7.0f} MB", flush=True)
    print(f"exit {process.returncode}; last / first {found[-1] / found[0]:.3f}")


if __name__ == "__main__":
    main()
