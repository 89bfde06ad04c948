"""Find the scans among 20,000 files by their headers: rate, memory, and whether it is linear.

Run: ``python benchmarks/header_scan.py [FILES]``. Files are generated (64 x 64 pixels, 40 to a
study) and read from warm cache; each size is scanned in a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from series import generated
from timing import print_where

STUDY = 40
LEAST_RATE, MOST_MB = 1500, 500


def write_files(root: Path, n: int) -> list[Path]:
    """Write `n` files; return nested folders that hold a quarter, a half and all of them."""
    from hemocast.dicom import make_uid

    files = sorted(generated(root / "model", STUDY, 64, 4.0).iterdir())
    contents = [path.read_bytes() for path in files]
    for path in files:
        path.unlink()
    (root / "model").rmdir()
    folders = [root / "half" / "quarter", root / "half", root]
    uids = make_uid("benchmark", STUDY).encode(), make_uid("series", STUDY).encode()
    for study in range(n // STUDY):
        part = 4 * study * STUDY // n
        folder = folders[(0, 1, 2, 2)[part]] / f"{study:05d}"
        folder.mkdir(parents=True)
        new = [f"1.2.{study + 10_000}".encode() + uid[9:] for uid in uids]
        for index, content in enumerate(contents):
            for old, uid in zip(uids, new, strict=True):
                content = content.replace(old, uid)
            (folder / f"{index:03d}").write_bytes(content)
    return folders


def scan(folder: Path) -> None:
    """Scan a folder twice; print wall and CPU seconds of the second time, counts, and memory."""
    from hemocast.dicom import find_scans

    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        found = find_scans(folder)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    files = sum(len(scan.series.images) for scan in found.scans)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, cpu, files, len(found.scans), memory)


def main(n: int) -> None:
    """Write, then scan a quarter, half and all."""
    print_where()
    rates = []
    with tempfile.TemporaryDirectory() as name:
        for folder in write_files(Path(name), n):
            command = [sys.executable, __file__, "--scan", str(folder)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, cpu, files, scans, memory = map(float, done.stdout.split())
            rates.append(files / cpu)
            print(f"{files:.0f} files, {scans:.0f} scans: {seconds:.2f} s, {cpu:.2f} s of CPU,")
            print(
                f"  {files / seconds:.0f} files/s, {rates[-1]:.0f} per second of CPU = "
                f"{rates[-1] / LEAST_RATE:.1f} of the {LEAST_RATE} wanted, {memory:.0f} MB = "
                f"{memory / MOST_MB:.2f} of {MOST_MB}"
            )
    print(f"CPU per file, all against a quarter: {rates[0] / rates[-1]:.2f} (1 is linear)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--scan"]:
        scan(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
