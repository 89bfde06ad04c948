from __future__ import annotations

from pathlib import Path

from hemocast.pipeline.study.dataset_facts import read_dataset


def test_the_tables_of_a_dataset_are_counted(dataset: Path) -> None:
    facts = read_dataset(dataset)
    assert (facts.name, facts.patients, facts.positive, facts.refused) == ("Ours", 40, 20, 1)
    assert facts.counts["sex"] == {"F": 20, "M": 20}
    assert facts.missing == {"treatment": 0, "nihss": 3}
    assert facts.made_by == ("hemocast 0.1.0",)
    assert not facts.simulated
