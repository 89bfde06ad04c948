"""``hemocast simulate``: as a user meets it, and as a machine that loses power meets it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from hemocast.cli.main import run

HEMOCAST = Path(sys.executable).with_name("hemocast")
WORDS = ("simulate", "--preset", "tiny", "--seed", "3", "--patients", "2")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but for the lock and the record."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("[!.]*") if p.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two patients as DICOM, in one go; the command's output too."""
    out = tmp_path_factory.mktemp("whole") / "cohort"
    with redirect_stdout(StringIO()) as said, pytest.raises(SystemExit) as ended:
        run([*WORDS, "--out", str(out)])
    assert not ended.value.code
    return out, said.getvalue()


def test_it_says_simulated_and_prints_the_three_ceilings(whole):
    out, said = whole
    assert "SIMULATED: 2 patients (1 with HT)" in said
    for words in ("all known", "image alone", "record alone"):
        line = next(line for line in said.splitlines() if words in line)
        assert 0.7 < float(line.split()[-2]) <= 1
    assert len((out / "labels.csv").read_text().splitlines()) == 3


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(whole, tmp_path):
    out = tmp_path / "cohort"
    command = [HEMOCAST, *WORDS, "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 200
    # Killed in the middle of a study: one is finished, and the next has begun.
    while time.monotonic() < deadline and process.poll() is None:
        names = [p.name for p in (out / "dicom").glob("*")]
        if any(n.startswith(".") for n in names) and any(not n.startswith(".") for n in names):
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=300)
    assert not (out / "labels.csv").exists()
    assert any((out / "dicom").iterdir())
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert contents(out) == contents(whole[0])


def test_another_format_in_the_same_folder_is_refused(whole, hemocast):
    done = hemocast(*WORDS, "--out", whole[0], "--format", "stacks")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (whole[0] / "stacks").exists()


def test_an_unknown_preset_is_wrong_usage(tmp_path, hemocast):
    done = hemocast("simulate", "--preset", "nobody", "--out", tmp_path / "x")
    assert done.returncode == 2
    assert not (tmp_path / "x").exists()
