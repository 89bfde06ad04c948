"""Paths, datasets and tables of paths become cases, with the names that they have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.errors import TableError
from hemocast.pipeline.predictions.cases import Case, cases_of


def dataset(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name.split("_")[0] / name.split("_")[1] / "ct" / f"{name}_ct.nii.gz"
        path.parent.mkdir(parents=True)
        path.touch()
        path.with_name(f"{name}_ct.json").write_text("{}")
    about = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}]}
    (root / "dataset_description.json").write_text(json.dumps(about))
    return root


def test_a_path_is_one_case_and_a_dataset_all_its_scans_under_their_names(tmp_path: Path) -> None:
    names = ["sub-0123456789ab_ses-01", "sub-0123456789ab_ses-02", "sub-b_ses-x"]
    ours = dataset(tmp_path / "ds", *names)
    cases = cases_of([tmp_path / "a", ours, tmp_path / "ds" / "sub-b"])
    assert [case.number for case in cases] == [1, 2, 3, 4, 5]
    assert [case.scan_id for case in cases] == [None, *names, None]
    assert cases[3].participant_id == "sub-b"
    assert cases[1].path.is_file()


def test_anybody_elses_folder_of_that_form_is_a_path_like_others(tmp_path: Path) -> None:
    root = dataset(tmp_path / "ds", "sub-DOE_ses-01")
    (root / "dataset_description.json").write_text('{"Name": "Mine"}')
    assert cases_of([root]) == (Case(root, number=1),)


def test_a_table_gives_paths_beside_it_and_the_names_that_are_known(tmp_path: Path) -> None:
    table = tmp_path / "scans.csv"
    table.write_text(
        "scan_id,path,site,participant_id\nP-1_a,x/1,A,P-1\nn/a,/y,B,\n,x/3.zip,B,P-2\n"
    )
    assert cases_of([table]) == (
        Case(tmp_path / "x" / "1", "P-1", "P-1_a", 1),
        Case(Path("/y"), None, None, 2),
        Case(tmp_path / "x" / "3.zip", "P-2", None, 3),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file\nx\n", "column path: the column is missing"),
        ("path,scan_id\nx,../s\n", "row 2, column scan_id"),
        ("path,scan_id\nx,0123456789abcdef\n", "row 2, column scan_id"),
        ("path,scan_id\nx,s\ny,s\n", "row 3, column scan_id: every row once"),
        ("path,scan_id\n,s\n", "row 2, column path"),
        ("path,participant_id\nx,DOE^JANE\n", "row 2, column participant_id"),
    ],
)
def test_a_bad_table_is_refused_by_its_rows(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "scans.csv").write_text(text)
    with pytest.raises(TableError, match=fault) as refused:
        cases_of([tmp_path / "scans.csv"])
    assert "DOE" not in str(refused.value)


def test_a_case_is_not_shown() -> None:
    assert "DOE" not in repr(Case(Path("DOE")))
