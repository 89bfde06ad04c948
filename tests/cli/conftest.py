"""The command line in this process: starting another for every command costs a second each."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from hemocast.cli import main


@pytest.fixture
def hemocast(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., CompletedProcess[str]]]:
    """Return a function that runs a command as the program does, down to its words and code.

    What is about the process itself (signals, terminals, imports) starts one.
    """
    stop, show = signal.getsignal(signal.SIGTERM), warnings.showwarning

    def _hemocast(*arguments: object) -> CompletedProcess[str]:
        words = [str(word) for word in arguments]
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.run(words)
        said = capsys.readouterr()
        return CompletedProcess(words, int(ended.value.code or 0), said.out, said.err)

    yield _hemocast
    signal.signal(signal.SIGTERM, stop)
    warnings.showwarning = show
