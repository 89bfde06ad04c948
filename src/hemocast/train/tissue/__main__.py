"""Train the tissue map: ``python -m hemocast.train.tissue FOLDER`` (``make tissue-model``)."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from hemocast.files import replacing
from hemocast.onnx import usable_cpus
from hemocast.simulate.randomised.heads import keep_heads
from hemocast.train.allocator import keep_freed_memory
from hemocast.train.tissue.export import export
from hemocast.train.tissue.learn import Course, learn

HEADS, SEED = 180, 7


def main() -> None:
    """Build heads, train or go on, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="takes heads, checkpoint, curve and weights")
    parser.add_argument("--minutes", type=float, default=Course.minutes)
    asked = parser.parse_args()
    torch.set_num_threads(usable_cpus())
    keep_freed_memory()
    keep_heads(asked.folder / "heads", HEADS, SEED)
    heads = sorted((asked.folder / "heads").glob("head-*.npz"))
    net = learn(heads, asked.folder, Course(minutes=asked.minutes))
    with replacing(asked.folder / "tissue.onnx") as path:
        path.write_bytes(export(net))


if __name__ == "__main__":
    main()
