"""Settings: validated, all faults at once, the same hash everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from hemocast.config import (
    Config,
    NetConfig,
    PrepareConfig,
    TrainConfig,
    commented_settings,
    load_config,
)
from hemocast.errors import ConfigError


def test_settings_survive_a_round_trip(tmp_path: Path) -> None:
    config = Config(prepare=PrepareConfig(size=132, pixel_mm=1.5))
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert load_config(tmp_path / "run.yaml") == config


def test_a_hash_depends_on_every_value_and_on_nothing_else() -> None:
    assert PrepareConfig().hash() == PrepareConfig(frames=28).hash()
    assert PrepareConfig().hash() != PrepareConfig(window_high=60).hash()


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("prepare: {frames: 0, colour: red}\ntrain: {epochs: -1}\n")
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    for name in ("prepare.frames", "prepare.colour", "train.epochs"):
        assert name in str(refusal.value)


@pytest.mark.parametrize("text", ["prepare: [", "\x00", "prepare: {window_low: 60}"])
def test_a_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_config(path)


@pytest.mark.parametrize("text", ["seed: " + "5" * 5000, "[" * 3000, "seed: 2026-99-99"])
def test_what_trips_the_parser_is_refused_with_a_code(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_config(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="could not be read"):
        load_config(tmp_path / "none.yaml")


def test_a_size_that_left_and_right_would_not_share_is_refused_with_what_would_do(
    tmp_path: Path,
) -> None:
    """The mirror difference compared places up to two pixels apart, without a word."""
    path = tmp_path / "run.yaml"
    path.write_text("prepare: {size: 200}\n")
    with pytest.raises(ConfigError, match=r"prepare\.size 200 .*198 or 204"):
        load_config(path)
    for text in ("net: {pool: 2}", "net: {mirror: false}", "net: {name: 'others:Net'}"):
        path.write_text(f"prepare: {{size: 200}}\n{text}\n")
        assert load_config(path).prepare.size == 200


def test_a_networks_options_count_but_their_absence_changes_no_hash() -> None:
    plain = NetConfig()
    assert "options" not in plain.model_dump(mode="json")
    assert NetConfig(options={"side": 4}).hash() != plain.hash()
    assert plain.hash() == "678c0236544f833345ead2a600107b94eb25009c2df6ec2e9b70f14807605342"


def test_an_unknown_setting_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("train: {epoch: 3}\nrooms: 1\n")
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    said = str(refusal.value)
    assert "train.epoch: no such setting (perhaps epochs); there are seed, epochs," in said
    assert "rooms: no such setting; there are prepare, net, train" in said
    assert "hemocast config init" in said


def test_the_commented_file_holds_every_setting_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text := commented_settings())
    assert load_config(path) == Config()
    assert load_config(path).hash() == Config().hash()
    assert load_config(path).with_net("resnet18") == Config().with_net("resnet18")
    depending = ("pool", "relief")
    loaded = yaml.safe_load(re.sub(f"  # ({'|'.join(depending)}):", r"  \1:", text))
    for room, part in (("prepare", PrepareConfig), ("net", NetConfig), ("train", TrainConfig)):
        assert set(loaded[room]) == set(part.model_fields)
    lines = text.splitlines()
    assert "  frames: 28  # frames kept; 28 in the paper; from 4 to 64" in lines
    assert any(line.startswith('  precision: "auto"') and "| bf16" in line for line in lines)
    assert all("  # " in line for line in lines if line.startswith("  "))


def test_a_default_that_depends_on_a_wrong_setting_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("net: {mirror: banana}\n")
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert "has 1 fault(s): net.mirror: " in str(refusal.value)
    assert "factory" not in str(refusal.value)


def test_relief_is_seen_wherever_it_can_be_and_always_written_down() -> None:
    assert NetConfig().relief is True
    assert NetConfig(name="frames-mean").relief is False
    assert Config().with_net("frames-mean").net == NetConfig(name="frames-mean")
    for less in ({"mirror": False}, {"fluid_hu": None}, {"relief": False}):
        assert NetConfig(**less).model_dump()["relief"] is False
        assert NetConfig(**NetConfig(**less).model_dump()) == NetConfig(**less)


@pytest.mark.parametrize("without", [{"mirror": False}, {"fluid_hu": None}])
def test_relief_that_could_not_be_seen_is_refused(without: dict[str, Any]) -> None:
    """It was left out without a word."""
    with pytest.raises(ValidationError, match="relief needs"):
        NetConfig(relief=True, **without)
