"""``hemocast federate``, as typed; what the steps refuse is tested in ``pipeline``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.federate import federate
from hemocast.federate.folder import FINDINGS, RESULT, read_plan, read_site, write_result
from hemocast.model import load


def test_what_is_missing_or_cannot_be_is_refused_and_nothing_written(
    tmp_path: Path, hemocast: Callable[..., CompletedProcess[str]]
) -> None:
    command = ("federate", "rehearse", tmp_path / "none", "--out", tmp_path / "out")
    missing = hemocast(*command)
    assert missing.returncode == 4
    assert "HC101" in missing.stderr
    assert hemocast(*command, "--rounds", 0).returncode == 2
    assert not (tmp_path / "out").exists()


def run(*arguments: object) -> str:
    """Run a command that must end well; return what it prints, on one line."""
    done = CliRunner().invoke(application(), ["federate", *map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output.replace("\n", " ")


@pytest.mark.slow
def test_hospitals_go_from_their_datasets_to_a_model_that_predicts(tmp_path: Path) -> None:
    names = ("North", "South", "West")
    sent = []
    for name in names:
        told = run("enrol", tmp_path / name, "--name", name)
        assert re.search(r"[0-9a-f]{64}", told)
        sent.append(tmp_path / name / "site.json")
    coordinator = tmp_path / "coordinator"
    told = run("plan", *sent, "--out", coordinator, "--simulated", "--rounds", 20)
    (key,) = re.findall(r"your key: ([0-9a-f]{64})", told)
    for seed, name in enumerate(names):
        cohort = tmp_path / f"cohort-{name}"
        simulate = ["simulate", "--preset", "tiny", "--patients", "12", "--format", "stacks",
                    "--seed", str(seed), "--out", str(cohort)]  # fmt: skip
        assert CliRunner().invoke(application(), simulate).exit_code == 0
        prepare = ("prepare", cohort / "stacks", tmp_path / name, "--coordinator", key)
        told = run(*prepare, "--plan", coordinator / "plan.json")
        assert "12 patients, 6 with HT" in told
        with np.load(tmp_path / name / FINDINGS) as kept:
            assert np.isfinite(kept["values"]).all()
    signed = read_plan(coordinator)
    sites = {name: read_site(tmp_path / name, name) for name in names}
    write_result(coordinator, federate(signed, sites))
    told = run("model", tmp_path / "North", coordinator / RESULT, "--out", tmp_path / "model")
    assert "36 patients at 3 hospitals" in told
    says = load(tmp_path / "model").description
    assert says.simulated_training_data

    scan = tmp_path / "scan"
    simulate = ["simulate", "--preset", "tiny", "--patients", "2", "--seed", "9", "--out",
                str(scan)]  # fmt: skip
    assert CliRunner().invoke(application(), simulate).exit_code == 0
    folder = min((scan / "dicom").iterdir())
    predict = ["predict", str(folder), "--model", str(tmp_path / "model"),
               "--out", str(tmp_path / "out")]  # fmt: skip
    done = CliRunner().invoke(application(), predict)
    assert done.exit_code in (0, 3), (done.output, done.exception)
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert "3 hospitals that gave none of them away" in card
