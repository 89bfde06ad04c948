"""Our training and inference against a MONAI + Lightning script of the same network.

    python benchmarks/training_speed.py [--scans 80] [--epochs 2] [--rounds 3] [--threads 1]

Training: `hemocast.train.fit` (one stage, with its preparation of the inputs and its checkpoints)
and `monai_script.train`, each in a process of its own, in turns, on the same stacks, epochs, batch
size, cores and threads, in float32 and in bfloat16. CPU seconds of the training, imports left out,
and the most memory of the process. Inference: the exported network by ONNX Runtime against the
trained one by torch, frames to logit, one scan at a time and eight; outputs must agree to 1e-4.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import interleaved, print_where

from hemocast.config import Config, NetConfig, TrainConfig

SHAPE = (28, 192, 192)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scans", type=int, default=80)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--network", default="ctnet3d")
    parser.add_argument("--child", nargs=2, metavar=("WHO", "PRECISION"))
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_child(options, *options.child)))
        return
    print_where()
    for precision in ("float32", "bf16"):
        _training(options, precision)
    _inference(options)


def _config(options: argparse.Namespace, precision: str = "float32") -> Config:
    train = TrainConfig(
        epochs=options.epochs,
        refit=False,
        precision=precision,
        accelerator="cpu",
        threads=options.threads,
    )
    return Config(net=NetConfig(name=options.network), train=train)


def _stacks(count: int) -> np.ndarray:
    """Draw heads that are ellipsoids of noise, as levels."""
    axes = (np.linspace(-1, 1, size, dtype=np.float32) for size in SHAPE)
    z, y, x = np.meshgrid(*axes, indexing="ij")
    levels = np.random.default_rng(0).normal(140, 25, (count, *SHAPE)).astype(np.float32)
    return np.where(z**2 + y**2 + x**2 < 0.8, levels, 0).clip(0, 255).astype(np.uint8)


def _child(options: argparse.Namespace, who: str, precision: str) -> dict[str, float]:
    """Train once; CPU and wall seconds a scan and epoch, and the most memory, MB."""
    import torch

    torch.set_num_threads(options.threads)
    levels, config = _stacks(options.scans), _config(options, precision)
    label = np.arange(options.scans) % 2
    with tempfile.TemporaryDirectory() as folder:
        if who == "ours":
            from hemocast.train import StackTable, fit

            path = Path(folder) / "stacks.npy"
            np.save(path, levels)
            del levels
            people = tuple(f"sub-{i:04d}" for i in range(options.scans))
            scans = tuple(f"{one}_ses-01" for one in people)
            table = StackTable(path, people, scans, tuple(label.tolist()))
            began = time.process_time(), time.perf_counter()
            fit(table, config, Path(folder) / "run")
        else:
            from monai_script import train

            frames = torch.from_numpy(levels).float() / 255
            del levels
            began = time.process_time(), time.perf_counter()
            train(frames, torch.from_numpy(label).float(), config, precision == "bf16")
    seen = options.epochs * options.scans
    return {
        "cpu": (time.process_time() - began[0]) / seen,
        "wall": (time.perf_counter() - began[1]) / seen,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _training(options: argparse.Namespace, precision: str) -> None:
    found: dict[str, list[dict[str, float]]] = {"ours": [], "monai": []}
    # Both with the allocator as it comes: ours sets its own.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    for _ in range(options.rounds):
        for who, rows in found.items():
            command = [sys.executable, __file__, *sys.argv[1:], "--child", who, precision]
            done = subprocess.run(
                command, env=kept, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    for what, digits in (("cpu", 4), ("wall", 4), ("mb", 0)):
        pairs = [(a[what], b[what]) for a, b in zip(found["ours"], found["monai"], strict=True)]
        ratio = [b / a for a, b in pairs]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(
            f"training, {precision}, {what}: ours {ours:.{digits}f}, MONAI {theirs:.{digits}f}, "
            f"theirs over ours {statistics.median(ratio):.2f} "
            f"({min(ratio):.2f} to {max(ratio):.2f}, {len(ratio)} rounds)",
            flush=True,
        )


def _inference(options: argparse.Namespace) -> None:
    import torch

    from hemocast.model.export import to_onnx
    from hemocast.nets import build
    from hemocast.onnx import Session

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    net = build(NetConfig(name=options.network), SHAPE[0]).eval()
    frames = _stacks(8).astype(np.float32) / 255
    session = Session(to_onnx(net, frames[:2]), options.threads)
    for count in (1, 8):
        given = frames[:count]

        def torchs(given: np.ndarray = given) -> np.ndarray:
            with torch.inference_mode():
                return net(torch.from_numpy(given))[0].numpy()

        apart = np.abs(torchs() - session.run(given)[0]).max()
        seconds, ratio = interleaved(
            {"ours": lambda given=given: session.run(given), "torch": torchs}, 15
        )
        print(
            f"inference, {count} at a time: ours {1000 * seconds['ours'] / count:.1f} ms a scan, "
            f"torch {1000 * seconds['torch'] / count:.1f} ms, ratio {ratio('torch', 'ours'):.2f}, "
            f"logits differ by {apart:.1e}",
            flush=True,
        )
        if apart > 1e-4:
            sys.exit("the outputs are not equal")


if __name__ == "__main__":
    main()
