"""The dataset's description: whose it is, which key named it, and what users wrote in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.dataset.description import (
    adopt_key,
    read_description,
    refuse_other_key,
    says_ours,
    says_simulated,
    write_description,
)
from hemocast.dataset.pseudonym import participant_id
from hemocast.errors import DatasetError, UsageError

KEY, OTHER = b"k" * 32, b"q" * 32


def test_it_proves_the_dataset_ours_and_holds_no_key(tmp_path: Path) -> None:
    write_description(tmp_path, KEY, simulated=False)
    found = read_description(tmp_path)
    assert says_ours(found)
    text = (tmp_path / "dataset_description.json").read_text()
    assert KEY.hex() not in text
    assert KEY.decode() not in text
    assert refuse_other_key(tmp_path, KEY) is True
    with pytest.raises(UsageError, match="another key"):
        refuse_other_key(tmp_path, OTHER)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"GeneratedBy": "hemocast", "DatasetType": "raw"},
        {"GeneratedBy": [{"Name": "fMRIPrep"}], "DatasetType": "raw"},
        {"GeneratedBy": [{"Name": "hemocast"}], "DatasetType": "derivative"},
        {"Name": "hemocast"},
    ],
)
def test_others_are_not_ours(content: dict[str, object]) -> None:
    assert not says_ours(content)


def test_a_name_and_fields_of_the_users_stay_and_simulated_is_never_taken_back(
    tmp_path: Path,
) -> None:
    write_description(tmp_path, KEY, simulated=True)
    path = tmp_path / "dataset_description.json"
    assert read_description(tmp_path)["Name"].startswith("SIMULATED")
    mine = read_description(tmp_path) | {"Name": "Mine", "License": "CC0"}
    path.write_text(json.dumps(mine))
    write_description(tmp_path, KEY, simulated=False)
    assert read_description(tmp_path) == mine
    assert mine["Simulated"] is True


@pytest.mark.parametrize("content", ["", "[", "7", "\0"])
def test_one_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset_description.json").write_text(content)
    with pytest.raises(DatasetError, match="dataset_description"):
        read_description(tmp_path)


def test_a_key_is_adopted_only_if_it_gives_a_name_that_is_there(tmp_path: Path) -> None:
    (tmp_path / participant_id(KEY, "DOE-1")).mkdir()
    assert refuse_other_key(tmp_path, OTHER) is False
    assert not adopt_key(tmp_path, OTHER, ["DOE-1", "DOE-2"])
    assert not adopt_key(tmp_path, KEY, ["DOE-2"])
    assert read_description(tmp_path) == {}
    assert adopt_key(tmp_path, KEY, ["DOE-2", "DOE-1"])
    assert refuse_other_key(tmp_path, KEY) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"Simulated": true}', True), ('{"Simulated": false}', False), ("[1]", False), ("{", False)],
)
def test_whether_a_folder_is_simulated(tmp_path: Path, text: str, expected: bool) -> None:
    assert says_simulated(tmp_path) is False
    (tmp_path / "dataset_description.json").write_text(text)
    assert says_simulated(tmp_path) is expected
