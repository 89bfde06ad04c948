"""The command line as a user meets it: help, wrong usage, refusals without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import typer

from hemocast.cli import main
from hemocast.version import VERSION

HEMOCAST = Path(sys.executable).with_name("hemocast")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEMOCAST, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("predict", "demo", "simulate", "ingest", "train"):
        assert command in done.stdout
    assert "Not a medical device" in done.stdout


@pytest.mark.parametrize(
    ("command", "before", "after"),
    [("predict", None, "1"), ("predict", "2", "2"), ("train", None, None)],
)
def test_scan_by_scan_one_thread_multiplies_unless_the_user_says_more(
    command: str, before: str | None, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "OPENBLAS_NUM_THREADS"
    monkeypatch.setenv(name, before or "")  # so that it is put back in the end
    if before is None:
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit):
        main.run([command, "--help"])
    assert os.environ.get(name) == after


def test_version() -> None:
    assert run("--version").stdout.strip() == f"hemocast {VERSION}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict",),
        ("predict", "x", "--nonsense"),
        ("ingest", "x"),
        ("nonsense",),
        ("simulate", "--out", "x", "--preset", "nonsense"),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: tuple[str, ...],
    tmp_path: Path,
    hemocast: Callable[..., CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = hemocast(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_there_is_one_sentence(
    tmp_path: Path, hemocast: Callable[..., CompletedProcess[str]]
) -> None:
    done = hemocast("predict", tmp_path, "--model", tmp_path / "none", "--out", tmp_path / "out")
    assert done.returncode == 4
    assert done.stderr.startswith("HC501 ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_fault_of_our_own_is_one_line_and_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken() -> None:
        raise RuntimeError("DOE^JANE")

    application = typer.Typer(pretty_exceptions_enable=False)
    application.command()(broken)
    monkeypatch.setattr(main, "application", lambda _only: application)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main.run([])
    (log,) = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("HC999 ")
    assert str(log) in said
    assert said.count("\n") == 1
    assert "DOE" not in said
    assert "DOE^JANE" in log.read_text()


def test_help_loads_nothing_that_takes_time() -> None:
    """A second of imports before the first word was told by the clock, which load upsets."""
    program = "import sys; from hemocast.cli.main import run\n"
    program += "try: run(['--help'])\nexcept SystemExit: pass\n"
    program += "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    slow = {"matplotlib", "nibabel", "numpy", "onnxruntime", "pandas", "pydicom", "scipy", "torch"}
    assert not slow & set(done.stderr.split())


def test_the_shell_can_complete_commands() -> None:
    done = subprocess.run(
        [HEMOCAST],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ
        | {"_HEMOCAST_COMPLETE": "complete_bash", "COMP_WORDS": "hemocast pred", "COMP_CWORD": "1"},
    )
    assert done.stdout.split() == ["predict"]


def test_a_command_is_found_behind_options_and_reads_no_other_s() -> None:
    program = "import sys; from hemocast.cli.main import run\n"
    program += "try: run(['-v', 'check-leakage', '--help'])\nexcept SystemExit: pass\n"
    program += "print(*(m for m in sys.modules if 'hemocast.cli' in m), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert "check-leakage [OPTIONS]" in done.stdout
    assert "hemocast.cli.check_leakage" in done.stderr
    assert "hemocast.cli.predict" not in done.stderr
