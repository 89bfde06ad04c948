from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from hemocast.errors import UsageError
from hemocast.files import claim
from hemocast.pipeline.study.card import read_card, write_card
from hemocast.pipeline.study.records import Sources
from hemocast.report.checklists.checklist import Statement
from hemocast.report.checklists.form import DATASHEET

DEMO = resources.files("hemocast") / "assets" / "demo_model"


def test_a_model_and_its_evaluation_fill_a_card(sources: Sources) -> None:
    with resources.as_file(DEMO) as folder:
        name, text, _ = read_card(folder, replace(sources, dataset=None, predictions=None))
    assert name == "model_card.md"
    assert "SIMULATED" in text
    assert "model: AUC 0." in text
    assert "the network hemispheres" in text


def test_a_dataset_fills_a_data_sheet(dataset: Path, sources: Sources) -> None:
    name, text, _ = read_card(dataset, Sources())
    assert name == "datasheet.md"
    assert "of 40 patients" in text
    with pytest.raises(UsageError, match="no model"):
        read_card(dataset, sources)


def test_records_that_cannot_be_read_cost_the_form_alone(dataset: Path, tmp_path: Path) -> None:
    with claim(tmp_path / "out", "test") as output:
        write_card(output, DATASHEET, Sources(dataset=tmp_path / "none"))
        assert not (tmp_path / "out/datasheet.md").exists()
        told = (Statement("purpose", "", "x"),)
        write_card(output, DATASHEET, Sources(dataset=dataset), told)
        assert "of 40 patients" in (tmp_path / "out/datasheet.md").read_text(encoding="utf-8")
        (tmp_path / "out/datasheet.md").write_text("ours", encoding="utf-8")
        write_card(output, DATASHEET, Sources(dataset=dataset))
        assert (tmp_path / "out/datasheet.md").read_text(encoding="utf-8") == "ours"
