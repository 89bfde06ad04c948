"""Compressed series read with the decoder in its own process, against in this one.

    python benchmarks/decoder_process.py SCAN

SCAN is a zip of uncompressed DICOM. Every kind of compression is read in new processes, in turns;
CPU time counts that of the decoder's process, its start and imports too.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from fuzz_bases import transcode
from timing import print_where

RUNS = 5
KINDS = {
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}
PROGRAM = """
import resource, sys, time
from pathlib import Path
from hemocast.dicom import read
from hemocast.dicom.pixels.decompress import Compressed
from hemocast.dicom.pixels.worker import Worker
if sys.argv[2] == "in this process":
    Worker.decode = lambda self, how, frame: how.decode(frame)
start = time.perf_counter()
read(Path(sys.argv[1]))
wall = time.perf_counter() - start
from hemocast.dicom.pixels.worker import WORKER
WORKER.close()
both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(wall, sum(u.ru_utime + u.ru_stime for u in both))
"""


def compress(folder: Path, syntax: str, out: Path) -> None:
    """Write the files of a folder compressed."""
    from pydicom import dcmread

    out.mkdir()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        dataset = dcmread(path, force=True)
        if "PixelData" not in dataset:
            continue
        if syntax.endswith(".70"):
            dataset.save_as(out / path.name)
            transcode(out / path.name, "jpeg-lossless")
        else:
            dataset.compress(syntax, generate_instance_uid=False)
            dataset.save_as(out / path.name)


def measure(folder: Path, where: str) -> tuple[float, float]:
    """Give wall and CPU time of reading a folder, s."""
    command = [sys.executable, "-c", PROGRAM, str(folder), where]
    wall, cpu = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(wall), float(cpu)


def start_seconds() -> float:
    """Give the CPU time until the decoder's process has answered once, s."""
    from hemocast.dicom.pixels.decompress import Compressed
    from hemocast.dicom.pixels.worker import Worker
    from hemocast.errors import MalformedFile

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    worker = Worker()
    with suppress(MalformedFile):
        worker.decode(Compressed(KINDS["JPEG-LS"], "pyjpegls", 8, 8, 16, 16, False), b"none")
    worker.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print medians and ratios."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        with zipfile.ZipFile(sys.argv[1]) as archive:
            archive.extractall(root / "plain")
        print_where()
        start = statistics.median(start_seconds() for _ in range(RUNS))
        print(f"start and imports of the process {start:.2f} s of CPU")
        for kind, syntax in KINDS.items():
            folder = root / kind.replace(" ", "-")
            compress(root / "plain", syntax, folder)
            ways = ("in this process", "in its own")
            rows = {way: [] for way in ways}
            for _ in range(RUNS):
                for way in ways:
                    rows[way].append(measure(folder, way))
            here, own = (
                [statistics.median(column) for column in zip(*rows[way], strict=True)]
                for way in ways
            )
            print(f"{kind:14} {len(list(folder.iterdir()))} images: wall {here[0]:.2f} s, in its "
                  f"own {own[0]:.2f} s = {own[0] / here[0]:.2f}; CPU {here[1]:.2f} s, "
                  f"{own[1]:.2f} s = {own[1] / here[1]:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
