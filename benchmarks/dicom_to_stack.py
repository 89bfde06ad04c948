"""DICOM folder -> Stack against dcm2niix and MONAI's dictionary transforms for the same steps.

Run: ``python benchmarks/dicom_to_stack.py [ROUNDS]``. Both read the folder, take out the tilt,
resample to 1 x 1 x 5 mm, window to [0, 1] and cut to 28 frames of 192 x 192. Neither finds the
brain nor sets the head upright in the time compared: Hemocast is given both, and what they take is
printed beside it. Imports are left out. Needs Debian's dcm2niix and ``pip install monai`` (with
torch installed already, `--no-deps` keeps everything else out); says so where one is missing.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from series import real_head, simulated
from timing import interleaved, print_where

LEAST_RATIO, MOST_SECONDS = 3.0, 1.5


def other_way() -> Callable[[Path], object] | None:
    """Return dcm2niix and MONAI as one function of a folder, or None where they are not there."""
    missing = [name for name in ("dcm2niix",) if shutil.which(name) is None]
    missing += [name for name in ("monai",) if importlib.util.find_spec(name) is None]
    if missing:
        print(f"not installed, so not compared: {', '.join(missing)}")
        return None
    warnings.simplefilter("ignore")  # of optional packages it does without
    from monai.transforms import (
        Compose,
        EnsureChannelFirstd,
        LoadImaged,
        Orientationd,
        ResizeWithPadOrCropd,
        ScaleIntensityRanged,
        Spacingd,
    )

    steps = Compose(
        [
            LoadImaged("image", image_only=True),
            EnsureChannelFirstd("image"),
            Orientationd("image", axcodes="LPS", labels=None),
            Spacingd("image", pixdim=(1.0, 1.0, 5.0), mode="bilinear"),
            ScaleIntensityRanged("image", a_min=10, a_max=50, b_min=0, b_max=1, clip=True),
            ResizeWithPadOrCropd("image", spatial_size=(192, 192, 28)),
        ]
    )

    def convert(folder: Path) -> object:
        with tempfile.TemporaryDirectory() as name:
            command = ["dcm2niix", "-z", "n", "-b", "n", "-f", "scan", "-o", name, str(folder)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            # Where tilt or steps were corrected the corrected image has the longest name.
            image = max(Path(name).glob("*.nii"), key=lambda path: len(path.name))
            return steps({"image": str(image)})["image"]

    return convert


def compare(name: str, folder: Path, rounds: int) -> None:
    """Time both ways on one folder, and brain and alignment by themselves."""
    from hemocast.anatomy import align, find_brain
    from hemocast.config import PrepareConfig
    from hemocast.dicom import read
    from hemocast.prepare import prepare

    volume = read(folder)
    brain = find_brain(volume)
    pose = align(volume, brain)
    config = PrepareConfig()
    runs: dict[str, Callable[[], object]] = {
        "hemocast": lambda: prepare(read(folder), config, brain),
    }
    other = other_way()
    if other is not None:
        runs["dcm2niix + MONAI"] = lambda: other(folder)
    with patch("hemocast.prepare.stack.align", return_value=pose):
        seconds, ratio = interleaved(runs, rounds)
    both = ", ".join(f"{who} {1000 * value:.0f} ms" for who, value in seconds.items())
    print(f"{name}: {both}")
    if other is not None:
        print(
            f"  {ratio('dcm2niix + MONAI', 'hemocast'):.1f} times as fast (at least {LEAST_RATIO})"
        )
    start, cpu = time.perf_counter(), time.process_time()
    align(volume, find_brain(volume))
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"  brain and alignment: {wall:.2f} s, {cpu:.2f} s of CPU (at most {MOST_SECONDS})")


def main(rounds: int) -> None:
    """Compare on the real head and on a simulated one."""
    print_where()
    with tempfile.TemporaryDirectory() as name:
        head = real_head(Path(name) / "ge")
        if head:
            compare("28 slices 512x512, real, tilted, uneven", head, rounds)
        compare("slices of 5 mm 512x512, simulated", simulated(Path(name) / "made"), rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
