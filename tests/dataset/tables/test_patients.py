"""Tables by the hospital's own ids: brought under the key, or told what does not fit."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hemocast.dataset.pseudonym import participant_id
from hemocast.dataset.tables.patients import by_participant, key_of_dataset, refuse_nobody
from hemocast.errors import NobodyMatched, TableError, UsageError

KEY = b"k" * 32


def table(*names: str, column: str = "patient_id") -> pd.DataFrame:
    return pd.DataFrame({column: list(names), "label": "1"}, dtype=str)


def test_patients_get_the_pseudonyms_of_ingest() -> None:
    known = [participant_id(KEY, "P1"), participant_id(KEY, "02")]
    found = by_participant(table(" P1 ", "sub-02", "P9"), "labels.csv", KEY, known)
    assert found["participant_id"].tolist() == [*known, participant_id(KEY, "P9")]
    assert "patient_id" not in found.columns  # it identifies a patient


def test_a_table_by_pseudonym_needs_no_key() -> None:
    given = table("sub-1", column="participant_id")
    assert by_participant(given, "labels.csv", None, ["sub-2"]) is given


def test_without_a_key_it_says_which() -> None:
    with pytest.raises(TableError, match=r"mine\.csv names patients by patient_id.*--key"):
        by_participant(table("P1"), "mine.csv", None, [])


def test_a_table_of_nobody_says_what_its_ids_look_like_and_shows_none() -> None:
    known = [participant_id(KEY, "0017"), participant_id(KEY, "0018")]
    with pytest.raises(NobodyMatched) as caught:
        by_participant(table("17", "18", "DOE-19"), "labels.csv", KEY, known)
    said = str(caught.value)
    assert said.startswith("HC405 0 of 3 row(s) of labels.csv matched; its ids look like '00'")
    assert "pseudonyms" in said
    assert not {"17", "DOE", *known} & set(said.split("'"))
    assert caught.value.exit_code == 5
    refuse_nobody(["a", "b"], ["b"], ("labels.csv", "predictions.csv"))
    with pytest.raises(NobodyMatched, match=r"like 'Aaa\^Aaaa', those of predictions.csv like"):
        refuse_nobody(["Doe^Jane"], ["s1"], ("labels.csv", "predictions.csv"))


def test_a_datasets_key_lies_beside_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    assert key_of_dataset(root, None) is None
    (tmp_path / "data.key").write_text(KEY.hex())
    assert key_of_dataset(root, None) == KEY
    with pytest.raises(UsageError, match="holds no key"):
        key_of_dataset(root, tmp_path / "other.key")
