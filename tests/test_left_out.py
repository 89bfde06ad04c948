"""What was not used, and why: typed, and put into words in one place."""

from __future__ import annotations

from pathlib import Path

from hemocast.left_out import LeftOut, LeftOutCode


def test_every_code_has_words_of_its_own() -> None:
    words = [code.words for code in LeftOutCode]
    assert len(set(words)) == len(words)
    assert all(words)


def test_a_series_and_stray_files_are_told_apart() -> None:
    series = LeftOut(LeftOutCode.NOT_CT, 37, 4, "MR")
    assert str(series) == "series 4 (37 image(s)) left out: not CT: MR"
    nameless = LeftOut(LeftOutCode.LOCALIZER, 2)
    assert str(nameless) == "series without a number (2 image(s)) left out: localizer"
    files = LeftOut(LeftOutCode.NOT_DICOM, 12)
    assert str(files) == "12 file(s) left out: not DICOM images"
    assert [item.code.stray for item in (series, nameless, files)] == [False, False, True]


def test_words_of_an_earlier_version_are_kept_as_they_are() -> None:
    assert LeftOut(LeftOutCode.OTHER, detail="series 1 left out: scout").reason == (
        "series 1 left out: scout"
    )


def test_the_documentation_lists_every_code() -> None:
    path = Path(__file__).parents[1] / "docs" / "reference" / "dataset.md"
    page = path.read_text(encoding="utf-8")
    rows = [f"| `{code}` | {code.words} |" for code in LeftOutCode]
    assert [row for row in rows if row not in page] == []
