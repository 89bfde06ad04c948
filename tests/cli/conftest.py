"""The command line in this process: starting another for every command costs a second each."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Generator
from subprocess import CompletedProcess

import pytest

from hemocast.cli import main


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, bool | None, bool | None]:
    """Undo, after a test and what it shares with others, what the command line sets in a process.

    A program that is told to stop ends by SystemExit; pytest is not to take that for a test's.
    """
    stop, show = signal.getsignal(signal.SIGTERM), warnings.showwarning
    try:
        return (yield)
    finally:
        signal.signal(signal.SIGTERM, stop)
        warnings.showwarning = show


@pytest.fixture
def hemocast(capsys: pytest.CaptureFixture[str]) -> Callable[..., CompletedProcess[str]]:
    """Return a function that runs a command as the program does, down to its words and code.

    What is about the process itself (signals, terminals, imports) starts one.
    """

    def _hemocast(*arguments: object) -> CompletedProcess[str]:
        words = [str(word) for word in arguments]
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.run(words)
        said = capsys.readouterr()
        return CompletedProcess(words, int(ended.value.code or 0), said.out, said.err)

    return _hemocast
