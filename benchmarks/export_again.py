"""What the export of a network costs, and that of the next network of the same settings.

    python benchmarks/export_again.py [--rounds 3]

CPU of `hemocast.model.export.to_onnx`, its comparison with torch included, after one round to warm
up. The next one takes over the graph; its bytes must be those of an export from the beginning.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from timing import print_where

from hemocast.config import NetConfig, PrepareConfig


def main() -> None:
    """Print CPU seconds of both, in turns."""
    import torch

    from hemocast.model.export import to_onnx
    from hemocast.nets import build

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print_where()
    torch.manual_seed(0)
    settings = (NetConfig(), PrepareConfig())
    nets = [build(settings[0], frames=settings[1].frames) for _ in range(2)]
    size = settings[1].size
    frames = np.random.default_rng(0).random((2, settings[1].frames, size, size), np.float32)
    to_onnx(nets[0], frames, settings)
    seconds: dict[str, list[float]] = {"from the beginning": [], "with the graph": []}
    for _ in range(options.rounds):
        written = []
        for name, given in (("from the beginning", None), ("with the graph", settings)):
            start = time.process_time()
            written.append(to_onnx(nets[1], frames, given))
            seconds[name].append(time.process_time() - start)
        if written[0] != written[1]:
            raise SystemExit("the two exports differ")
    for name, values in seconds.items():
        print(f"{name:20} {statistics.median(values):.2f} s of CPU")
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    print(f"times as fast {statistics.median(ratios):.1f}; the same bytes")


if __name__ == "__main__":
    main()
