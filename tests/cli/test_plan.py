"""``hemocast plan`` says how large a study must be, as the library computes it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hemocast.cli.plan import plan
from hemocast.errors import StatisticsError
from hemocast.stats import (
    VarianceComponents,
    auc_cases,
    auc_difference_cases,
    auc_difference_power,
    mrmc_cases,
    mrmc_power,
)

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "planning.md"
DOC = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ hemocast plan ((?:.*\\\n)*.*)\n((?:(?!```).*\n)*)", DOC)
READERS = (
    "--readers 6 --effect 0.04 --pilot-cases 114 --treatment-reader 0.0002 --error 0.0008 "
    "--cov1 0.00035 --cov2 0.00034 --cov3 0.00024"
)


def _answer(line: str) -> dict:
    result = CliRunner().invoke(plan, [*shlex.split(line), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_the_page_has_an_example_of_every_command() -> None:
    shown = {line.split()[0] for line, _ in EXAMPLES}
    assert shown == {command.callback.__name__ for command in plan.registered_commands}


@pytest.mark.parametrize(("line", "output"), EXAMPLES, ids=[e[0].split()[0] for e in EXAMPLES])
def test_the_page_shows_what_the_command_prints(line: str, output: str) -> None:
    result = CliRunner().invoke(plan, shlex.split(line.replace("\\\n", " ")))
    assert result.exit_code == 0, result.output
    assert result.output == output


def test_riley_s_example() -> None:
    made = _answer("develop --predictors 24 --prevalence 0.174 --r2 0.288")
    assert list(made["criteria"].values()) == [623, 662, 221]
    assert made["required"] == 662
    assert any("10.1002/sim.7992" in source for source in made["sources"])


def test_a_c_statistic_stands_for_r2_under_both_spellings() -> None:
    # pmsampsize gives 1556, from an R2 that it simulates.
    made = _answer("develop --predictors 30 --prevalence 0.2 --cstat 0.78")
    assert made == _answer("develop --predictors 30 --prevalence 0.2 --c-statistic 0.78")
    assert made["required"] == pytest.approx(1556, rel=0.01)


def test_a_mean_error_adds_a_criterion() -> None:
    made = _answer("develop --predictors 10 --prevalence 0.3 --r2 0.2 --mean-error 0.05")
    assert len(made["criteria"]) == 4
    assert made["required"] == max(made["criteria"].values())


def test_aucs_need_what_the_library_says() -> None:
    assert _answer("auc --auc 0.8 --prevalence 0.3")["required"] == auc_cases(0.8, 0.3, 0.05)
    made = _answer("compare --auc 0.85 --other-auc 0.78 --correlation 0.5 --prevalence 0.4")
    assert made["required"] == auc_difference_cases(0.85, 0.78, 0.5, 0.4)
    line = "compare --auc 0.85 --other-auc 0.78 --correlation 0.5 --prevalence 0.4 --cases 200"
    assert _answer(line)["required"] == auc_difference_power(0.85, 0.78, 0.5, 80, 120)


def test_readers_need_what_the_library_says() -> None:
    parts = VarianceComponents(0.0, 0.0002, 0.0008, 0.00035, 0.00034, 0.00024, 114)
    assert _answer(f"readers {READERS}")["required"] == mrmc_cases(parts, 0.04, 6)
    power = _answer(f"readers {READERS} --cases 100")["required"]
    assert power == pytest.approx(mrmc_power(parts, 0.04, 6, 100))
    assert _answer(f"readers {READERS} --beyond cases")["required"] < mrmc_cases(parts, 0.04, 6)


def test_both_or_neither_of_c_and_r2_is_wrong_usage() -> None:
    for more in ([], ["--r2", "0.2", "--cstat", "0.8"]):
        line = ["develop", "--predictors", "5", "--prevalence", "0.3", *more]
        assert CliRunner().invoke(plan, line).exit_code == 2


@pytest.mark.parametrize(
    "line",
    [
        "develop --predictors 24 --prevalence 17.4 --r2 0.288",
        "validate --prevalence 0.3 --c-statistic 0.4",
        "auc --auc 1.2 --prevalence 0.3",
        "compare --auc 0.8 --other-auc 0.8 --prevalence 0.3",
    ],
)
def test_numbers_that_cannot_be_are_refused(line: str) -> None:
    result = CliRunner().invoke(plan, shlex.split(line))
    assert isinstance(result.exception, StatisticsError)
