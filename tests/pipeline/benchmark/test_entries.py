"""Which rows there are to be, and what a row of each kind gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hemocast.config import NetConfig
from hemocast.errors import UsageError
from hemocast.files import claim
from hemocast.nets.hemispheres import Member
from hemocast.pipeline.benchmark import BenchmarkData, entries_of
from hemocast.pipeline.benchmark.entries import PREVALENCE, RULES, NetworkEntry, RuleEntry
from hemocast.pipeline.benchmark.recipes import RECIPES
from hemocast.train.pretrain.encoder import KIND, About, write_encoder


def test_all_first_seeds_come_first_after_the_encoders_that_come_along() -> None:
    entries = [one for one in entries_of() if one.seed is not None]
    shipped = ["hemispheres, encoder own", "ctnet3d, encoder ctnet"]
    names = [*shipped, *(recipe.name for recipe in RECIPES)]
    assert [one.name for one in entries[: len(names)]] == names
    assert {one.seed for one in entries if one.name == "ctnet3d"} == {0, 1, 2, 3, 4}
    assert {one.seed for one in entries if one.name == "ctnet2d"} == {0, 1}
    assert len({(one.name, one.seed) for one in entries}) == len(entries)
    assert len({one.settings for one in entries}) == len(entries)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no model 'resnet'"):
        entries_of(["resnet"])


def test_rules_look_at_no_scan(cohorts: tuple[Path, Path], tmp_path: Path) -> None:
    data = BenchmarkData.of(*cohorts)
    given = {name: RuleEntry(name).score(data, tmp_path, None) for name in RULES}
    assert set(given["all positive"].probability) == {1.0}
    labels = data.learned.patient_labels()
    assert set(given[PREVALENCE].probability) == {np.mean(list(labels.values()))}
    ceiling = given["ceiling: true risk given the image"].probability
    assert len(np.unique(ceiling)) == 60


def test_a_network_that_went_on_does_not_say_how_long_it_took(
    cohorts: tuple[Path, Path], tmp_path: Path
) -> None:
    data = BenchmarkData.of(*cohorts)
    (entry,) = (one for one in entries_of(["soundari-style + mirror"], 1, 1) if one.seed == 0)
    assert isinstance(entry, NetworkEntry)
    entry.check(data)
    first = entry.score(data, tmp_path / "run", None)
    again = entry.score(data, tmp_path / "run", None)
    assert first.cpu_seconds is not None
    assert again.cpu_seconds is None
    np.testing.assert_array_equal(first.probability, again.probability)
    assert first.epochs == 1


def test_an_encoder_is_a_row_of_its_own(cohorts: tuple[Path, Path], tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = NetConfig(name="hemispheres", pool=1, smooth=3, stem=8, widths=(8,), dropout=0)
    with claim(tmp_path / "small", KIND) as output:
        member = Member(net.stem, net.widths[-1], net.smooth)
        about = About(net=net, scans=1, steps=1, seed=0, data_hash="")
        write_encoder([member], about, output)
    data = BenchmarkData.of(*cohorts)
    entries = entries_of(["ctnet2d"], 1, encoder=tmp_path / "small")
    (entry,) = (one for one in entries if one.name.startswith("hemispheres"))
    assert (entry.name, entry.seed) == ("hemispheres, encoder small", 0)
    entry.check(data)
    scored = entry.score(data, tmp_path / "run", None)
    assert scored.probability.shape == (80,)
    assert np.ptp(scored.probability) > 0
