from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hemocast.errors import NothingThere, TableError, UsageError
from hemocast.pipeline.study.records import Sources, read_records


def test_the_evaluation_and_its_tables_are_read(sources: Sources) -> None:
    found = read_records(sources)
    assert found.evaluation is not None
    assert found.evaluation.models["model"].n_patients_positive == 20
    assert {row["grouping"] for row in found.tables["subgroups"]} == {"sex"}
    assert not found.simulated


def test_evaluated_patients_are_looked_for_in_the_split(sources: Sources) -> None:
    split = read_records(sources).split
    assert split is not None
    assert split.overlap == 0
    assert split.evaluated == {"test": 10, "train": 30, "none": 20}


def test_a_patient_in_two_parts_is_counted(sources: Sources, dataset: Path) -> None:
    with (dataset / "splits/own.tsv").open("a", encoding="utf-8") as file:
        file.write("p0\ttrain\n")
    split = read_records(sources).split
    assert split is not None
    assert split.overlap == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"models": 3}', "[" * 5000])
def test_a_record_that_is_none_is_refused(sources: Sources, text: str) -> None:
    assert sources.evaluation is not None
    (sources.evaluation / "metrics.json").write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=r"metrics\.json cannot be read"):
        read_records(sources)


def test_what_is_not_there_is_refused(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(UsageError, match="No record"):
        read_records(Sources(split="own"))
    for name in ("evaluation", "dataset", "benchmark", "predictions", "reproduction"):
        with pytest.raises(NothingThere):
            read_records(replace(sources, **{name: tmp_path / "none"}))


def test_a_table_without_its_columns_is_refused_and_others_are_left_alone(sources: Sources) -> None:
    assert sources.evaluation is not None
    (sources.evaluation / "notes.csv").write_text("a;b\n1;2;3\n", encoding="utf-8")
    assert "notes" not in read_records(sources).tables
    (sources.evaluation / "subgroups.csv").write_text("model,auc\nm,0.8\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"subgroups\.csv cannot be read"):
        read_records(sources)
