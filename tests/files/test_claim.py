from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast import files
from hemocast.errors import InUse, NotWritable, OutputExists


def test_a_folder_is_never_put_over_one_that_holds_something(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(OutputExists), files.new_folder(target) as folder:
        (folder / "weights").write_text("new")
    assert [p.name for p in tmp_path.rglob("*")] == ["model", "mine.txt"]


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {files.RECORD, ".hemocast.lock"}
    }


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["report.html", "metrics.json", "notes.txt", "sub-1/ct.nii"]),
        st.binary(max_size=20),
        min_size=1,
    )
)
def test_a_folder_of_the_users_is_refused_and_unchanged(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("theirs")
    for name, data in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    with pytest.raises(OutputExists), files.claim(folder, "evaluation"):
        pass
    assert _content(folder) == content
    assert not (folder / files.RECORD).exists()


@pytest.mark.parametrize("name", ["file/below", "file", "x" * 300])
def test_what_cannot_be_written_is_refused_before_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises((NotWritable, OutputExists)), files.claim(tmp_path / name, "evaluation"):
        pass
    assert (tmp_path / "file").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_reserved_folder_is_taken_and_given_back(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "model"
    with files.reserved(out, "training"):
        with pytest.raises(InUse, match="training"), files.reserved(out, "training"):
            raise AssertionError("reserved twice")
        with files.new_folder(out) as draft:
            (draft / "model.yaml").write_text("x")
    assert [path.name for path in out.iterdir()] == ["model.yaml"]
    with pytest.raises(OutputExists), files.reserved(out, "training"):
        raise AssertionError("reserved over a model")
    with pytest.raises(ZeroDivisionError), files.reserved(tmp_path / "other", "training"):
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_a_folder_that_another_run_reserved_is_not_taken_from_it(tmp_path: Path) -> None:
    out = tmp_path / "model"
    out.mkdir()
    (out / ".hemocast.lock").touch()
    files.write_json(out / ".hemocast.holder.json", {"what": "x", "pid": 1, "host": "elsewhere"})
    with pytest.raises(OutputExists), files.new_folder(out) as draft:
        (draft / "model.yaml").write_text("x")
    assert len(list(out.iterdir())) == 2
