"""The demonstration, small: the whole way once, resumed, and honest about what it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hemocast.config import Config
from hemocast.errors import OutputExists
from hemocast.files import RECORD, SET_ASIDE
from hemocast.pipeline import demo
from hemocast.pipeline.demo import CEILING, Demo, run_demo
from hemocast.pipeline.simulated_run import RunOptions


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, config: Config):
    """The demonstration with 12 patients, mostly of one scan, and two epochs."""
    sizes = {"n_ht": 6, "n_non": 6, "scans_per_patient": 1.1, "matrix": 128}
    cohort = demo.DEMO.model_copy(update=sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "DEMO", cohort)
        patch.setattr(demo, "CONFIG", config)
        out = tmp_path_factory.mktemp("demo") / "out"
        yield run_demo(out, RunOptions(seed=3)), out


@pytest.mark.slow
def test_the_page_is_whole_and_says_simulated(small: tuple[Demo, Path]) -> None:
    done, _ = small
    page = done.page.read_text()
    assert "SIMULATED" in page.upper()
    assert page.count("data:image/png;base64,") >= 4
    assert 'src="http' not in page
    assert "<svg" in page


@pytest.mark.slow
def test_nobody_is_in_two_parts_and_everybody_is_counted(small: tuple[Demo, Path]) -> None:
    result = small[0].result
    assert result.overlap == 0
    assert sum(part.n_patients for part in result.parts) == 12
    assert sum(part.n_events for part in result.parts) == 6
    scans = sum(part.n_scans for part in result.parts)
    assert dict(result.simulated)["Patients"] == f"12, with {scans} scans as DICOM"


@pytest.mark.slow
def test_the_ceiling_is_that_of_the_true_risk(small: tuple[Demo, Path]) -> None:
    done, out = small
    summary = json.loads((out / "demo.json").read_text())
    assert summary["simulated"] is True
    assert 0 <= summary["auc"]["ci_low"] <= summary["auc"]["value"] <= 1
    model, ceiling = done.result.evaluation.models
    assert ceiling.name == CEILING
    assert summary["ceiling_auc"]["value"] == ceiling["auc"].value
    assert len(ceiling.probability) == model.n == len(model.probability)


@pytest.mark.slow
def test_its_numbers_are_those_of_evaluate(small: tuple[Demo, Path]) -> None:
    done, out = small
    content = json.loads((out / "evaluation" / "metrics.json").read_text())
    model = done.result.evaluation.models[0]
    assert content["models"]["demonstration"]["metrics"]["auc"]["value"] == model["auc"].value
    assert content["simulated"] is True
    assert f"{model['auc'].value:.2f} <small>AUC" in done.page.read_text()
    assert (out / "evaluation" / "report.html").is_file()


@pytest.mark.slow
def test_the_lesion_lies_in_the_brain_of_the_shown_scan(small: tuple[Demo, Path]) -> None:
    """Only if every step of the geometry agrees does the simulated lesion fall into the brain."""
    result = small[0].result
    for example in (*result.examples, result.new_scan):
        assert example.lesion is not None
        inside = example.lesion & example.prediction.stack.brain
        assert inside.sum() > 0.9 * example.lesion.sum() > 0


@pytest.mark.slow
def test_running_it_again_gives_the_same(small: tuple[Demo, Path]) -> None:
    done, out = small
    again = run_demo(out, RunOptions(seed=3))
    scores, before = (d.result.evaluation.models[0].probability for d in (again, done))
    assert scores.tolist() == before.tolist()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_split_anywhere(small: tuple[Demo, Path]) -> None:
    """Pseudonyms order the patients, so their key must come from the seed too."""
    receipt = json.loads((small[1] / "dataset/splits/demonstration.receipt.json").read_text())
    ids = (small[1] / "dataset/splits/demonstration.tsv").read_text()
    assert "sub-8baebe9f00ad" in ids  # SIM0001 of seed 3
    assert receipt["seed"] == 3


@pytest.mark.slow
def test_a_finished_demo_is_not_trained_again_with_another_seed(
    small: tuple[Demo, Path],
) -> None:
    with pytest.raises(OutputExists, match="did not make"):
        run_demo(small[1], RunOptions(seed=4))


@pytest.mark.slow
def test_a_folder_of_version_0_1_goes_on_and_keeps_what_was_made_of_it(
    small: tuple[Demo, Path], tmp_path: Path
) -> None:
    """It kept no record of its files, and had no evaluation, predictions table, card or figure."""
    out = tmp_path / "out"
    shutil.copytree(small[1], out)
    for record in out.rglob(RECORD):
        record.unlink()
    for name in ("evaluation", "new-prediction"):
        shutil.rmtree(out / name)
    for figures in out.glob("dataset/derivatives/hemocast/runs/*/figures"):
        shutil.rmtree(figures)
        (figures.parent / "model_card.md").unlink()
    (out / "predictions.csv").unlink()
    (out / "report.html").write_text("with my notes")
    (out / "notes.txt").write_text("mine")
    again = run_demo(out, RunOptions(seed=3))
    assert (out / SET_ASIDE / "report.html").read_text() == "with my notes"
    assert (out / SET_ASIDE / "model" / "model.yaml").is_file()
    assert (out / "notes.txt").read_text() == "mine"
    assert again.page.read_text().count("SIMULATED") > 3
    assert (out / "model" / "model.yaml").is_file()
