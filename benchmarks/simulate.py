"""Seconds and memory to simulate a scan, against writing the same pixels with plain pydicom.

Run: ``python benchmarks/simulate.py``. Building the head is not counted: patients have several
scans.
"""

from __future__ import annotations

import io
import resource
from functools import partial

import numpy as np
from timing import interleaved

from hemocast.config import PrepareConfig
from hemocast.simulate import (
    Edema,
    Head,
    Infarct,
    Person,
    Protocol,
    Stroke,
    build_head,
    scan_head,
)
from hemocast.simulate.scanner.stack import render_stack

ROUNDS = 5
STACKS = {192: PrepareConfig(), 128: PrepareConfig(size=128, pixel_mm=1.5)}


def scan(head: Head, matrix: int) -> None:
    """Simulate one scan with noise."""
    scan_head(head, Protocol(matrix=matrix), np.random.default_rng(1))


def stack(head: Head, size: int) -> None:
    """Simulate one Stack with noise."""
    render_stack(head, Protocol(), STACKS[size], np.random.default_rng(1))


def peer(frames: np.ndarray) -> None:
    """Write 16-bit frames with plain pydicom, to memory."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    for frame in frames:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        dataset.SOPInstanceUID = generate_uid()
        dataset.Rows, dataset.Columns = frame.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.PixelData = frame.tobytes()
        dataset.save_as(io.BytesIO(), enforce_file_format=True)


def main() -> None:
    """Print one line for each size."""
    stroke = Stroke(Infarct("MCA", "left", 80.0), Edema(0.15))
    head = build_head(np.random.default_rng(0), Person(65, van_swieten=(0, 0)), stroke)
    frames = np.zeros((32, 512, 512), np.uint16)
    runs = {
        "scan 512": partial(scan, head, 512),
        "scan 256": partial(scan, head, 256),
        "stack 192": partial(stack, head, 192),
        "stack 128": partial(stack, head, 128),
        "pydicom 512": partial(peer, frames),
    }
    seconds, ratio = interleaved(runs, ROUNDS)
    for name, value in seconds.items():
        print(f"{name}: {value:.3f} s, {ratio(name, 'pydicom 512'):.1f} x pydicom's writing")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
