"""On a disk that is full or read-only a command ends with one line, and goes on once there is room.

A real file system of a few kilobytes is mounted, which takes the superuser.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hemocast.errors import NoSpace
from hemocast.files import TEMPORARY
from hemocast.model import load_default
from hemocast.pipeline import predict

SETTINGS = """
prepare: {size: 96, pixel_mm: 2}
net: {pool: 2, stem: 8, widths: [8, 8]}
train: {epochs: 2, threads: 1}
"""
ROOM = "size=200m"

Ended = Callable[[str], tuple[int, str]]


def mount(options: str, place: Path) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this user may not mount a file system")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount(ROOM, place)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    rows = [f"p{i},s{i},{i % 2},{0.3 + 0.2 * (i % 2) + i / 200:.3f}" for i in range(40)]
    path.write_text("\n".join(["participant_id,scan_id,label,probability", *rows]) + "\n")
    return path


@pytest.fixture
def ended(hemocast: Callable[..., subprocess.CompletedProcess[str]]) -> Ended:
    """Return a function that runs a command and gives its exit code and its last words."""

    def _ended(line: str) -> tuple[int, str]:
        done = hemocast(*line.split())
        assert "Traceback" not in done.stdout + done.stderr
        assert "HC999" not in done.stdout + done.stderr
        return done.returncode, done.stderr.strip().rpartition("\n")[2]

    return _ended


COMMANDS = (
    "predict {scan}",
    "ingest {scan}",
    "deidentify {scan}",
    "evaluate {table} --resamples 100",
    "simulate --preset tiny --patients 2 --seed 1",
)


# At the first file, and, sooner told of, in the middle.
@pytest.mark.parametrize("size", [pytest.param("4k", marks=pytest.mark.slow), "100k"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_ends_a_command_that_goes_on_with_more_room(
    ended: Ended, command: str, size: str, ge_head: Path, predictions: Path, disk: Path
) -> None:
    line = command.format(scan=ge_head, table=predictions)
    mount(f"remount,size={size}", disk)
    code, said = ended(f"{line} --out {disk}/out")
    assert (code, said[:6]) == (2, "HC006 ")
    assert not [path for path in disk.rglob(f"{TEMPORARY}*") if path.is_file()]
    mount(f"remount,{ROOM}", disk)
    assert ended(f"{line} --out {disk}/out")[0] == 0


@pytest.mark.parametrize("command", [*COMMANDS, "demo", "reproduce"])
def test_a_read_only_disk_is_refused_before_work(
    ended: Ended, command: str, ge_head: Path, predictions: Path, disk: Path
) -> None:
    line = command.format(scan=ge_head, table=predictions)
    mount("remount,ro", disk)
    code, said = ended(f"{line} --out {disk}/out")
    assert (code, said[:6]) == (2, "HC005 ")
    assert list(disk.iterdir()) == []


def test_a_disk_that_fills_during_a_run_ends_it(
    ge_head: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No check ahead sees what others write meanwhile."""
    monkeypatch.setattr(predict, "check_space", lambda *_: None)
    mount("remount,size=600k", disk)
    run = predict.predict_cases(predict.cases_of([ge_head, ge_head]), load_default(), disk / "out")
    with pytest.raises(NoSpace):
        next(run)
    # A scan's record comes last: without it nobody takes the scan for finished.
    assert not list(disk.rglob("prediction.json"))
    mount(f"remount,{ROOM}", disk)
    (result,) = predict.predict_cases(predict.cases_of([ge_head]), load_default(), disk / "out")
    assert result.status == "done"
    assert not list(disk.rglob(f"{TEMPORARY}*/"))


@pytest.mark.slow
def test_training_too(ended: Ended, disk: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(SETTINGS)
    made = ended(f"simulate --preset tiny --patients 12 --format dataset --out {tmp_path / 'made'}")
    assert made[0] == 0
    (tmp_path / "made" / "dataset").rename(tmp_path / "dataset")
    subprocess.run(["cp", "-r", str(tmp_path / "dataset"), str(disk / "dataset")], check=True)
    used = sum(path.stat().st_size for path in disk.rglob("*")) // 1024
    line = (
        f"train {disk}/dataset --out {disk}/model --config {tmp_path}/run.yaml --test-fraction 0.34"
    )
    mount(f"remount,size={used + 1000}k", disk)
    code, said = ended(line)
    assert (code, said[:6]) == (2, "HC006 ")
    assert not (disk / "model").exists()
    mount("remount,ro", disk)
    code, said = ended(line)
    assert (code, said[:6]) == (2, "HC005 ")
    mount(f"remount,rw,{ROOM}", disk)
    assert ended(line)[0] == 0
    assert (disk / "model" / "model.yaml").is_file()
