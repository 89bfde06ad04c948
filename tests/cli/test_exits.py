"""The exit codes: what cases, checks and refusals add up to, the same for every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

import hemocast.errors
from hemocast.cli import exits
from hemocast.errors import (
    HemocastError,
    InternalError,
    LeakageError,
    OutputExists,
    TableError,
)

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("cases", "code"),
    [((2, 0), 0), ((1, 1), 3), ((0, 2), 4), ((0, 0), 0), ((1, 0, 1), 1), ((0, 1, 1), 1)],
)
def test_cases_add_up(cases: tuple[int, ...], code: int) -> None:
    assert exits.of_cases(*cases) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [(OutputExists, 2), (TableError, 4), (LeakageError, 5), (InternalError, 1)],
)
def test_a_refusal_is_one_line_and_its_code(
    kind: type[HemocastError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        exits.refuse(kind("Seen", "expected", "Do"))
    assert ended.value.code == code
    assert capsys.readouterr().err == f"{kind.code} Seen. Expected expected. Do.\n"


def test_a_check_that_found_something_ends_with_5() -> None:
    with pytest.raises(typer.Exit) as ended:
        exits.leave_if_found(["sub-01"])
    assert ended.value.exit_code == 5
    exits.leave_if_found([])
    exits.leave(0)


def test_codes_follow_their_family() -> None:
    for name, code in re.findall(r"(\w+) +HC(\d{3})", hemocast.errors.__doc__ or ""):
        family = {"0": 2, "9": 1}.get(
            code[0], 5 if name in {"LeakageError", "NobodyMatched"} else 4
        )
        assert getattr(hemocast.errors, name).exit_code == family, name


def test_no_command_invents_a_code_of_its_own() -> None:
    for path in Path(exits.__file__).parent.glob("*.py"):
        if path.name not in {"exits.py", "main.py"}:
            assert not re.search(r"typer\.Exit|sys\.exit|\bexit_code\b", path.read_text()), path
