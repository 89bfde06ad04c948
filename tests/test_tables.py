"""Files of every kind of badness: each is named, none is a traceback."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemocast.errors import HemocastError, NothingThere, TableError
from hemocast.evaluate.inputs.clinical import read_clinical
from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.tables import ReadAs, called, read_table
from hemocast.workbook import workbook

HEAD = "participant_id,scan_id,label,probability"
GOOD = f"{HEAD}\np1,s1,1,0.9\np2,s2,0,0.2\n"


def refused(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TableError) as caught:
        read_predictions(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n\n",
        GOOD.replace("p1,s1", '"p1","s1"'),
        GOOD.replace("scan_id", " scan_id "),
    ],
)
def test_what_spreadsheets_and_programs_write_is_read_alike(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode("utf-8"))
    found = read_predictions(path)
    assert found.scan.tolist() == ["s1", "s2"]
    assert found.truth.tolist() == [True, False]
    assert found.models[0].cases.score.tolist() == [0.9, 0.2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (HEAD + "\n", "no rows"),
        ("participant_id,naïve\n1,é\n".encode("latin-1"), "UTF-8"),
        (GOOD.replace("p2,s2,0,0.2", "p2,s2,0,0.2,7,8"), "3 (6)"),
        (GOOD.replace("p1,s1,1", "p1,s1,1,1"), "2 (5)"),
        (GOOD.replace("label", "scan_id"), "twice"),
        (GOOD.replace("p2", '"p2'), "quotation mark"),
        (b"\x00\x01\x02\x03", "UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table_is_named_for_what_it_is(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert said in refused(tmp_path / "a.csv", content)


def test_a_header_alone_is_a_table_where_that_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("participant_id\n")
    found = read_table(path, "labels.tsv", may_be_empty=True)
    assert (list(found.columns), len(found)) == (["participant_id"], 0)


def test_the_only_column_of_a_tsv_may_hold_commas(tmp_path: Path) -> None:
    path = tmp_path / "notes.tsv"
    path.write_text("note\none, two\n")
    assert read_table(path, "notes.tsv")["note"].tolist() == ["one, two"]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        read_table(tmp_path / "none.csv", "predictions.csv")


def test_rows_with_too_many_cells_are_all_named_as_a_spreadsheet_numbers_them(
    tmp_path: Path,
) -> None:
    rows = "\n".join(f"p{i},s{i},1,0.5" + ",x" * (i % 2) for i in range(6))
    text = refused(tmp_path / "a.csv", f"{HEAD}\n{rows}\n")
    assert "3 (5), 5 (5), 7 (5)" in text


def test_a_message_names_the_users_file_and_repeats_no_cell(tmp_path: Path) -> None:
    path = tmp_path / "my results.csv"
    text = refused(path, GOOD.replace("0.9", "Jane Doe").replace(",0,", ",Jane Doe,"))
    assert "Jane" not in text
    assert "my results.csv, row 2, column probability" in text


def outcome(path: Path) -> str:
    try:
        read_predictions(path)
    except HemocastError as error:
        return error.code
    return "read"


cells = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["0", "1", "0.5", "", "n/a", "nan", "-1", "1e400", "s1", "=1+1", '"', "\x00"]),
)
names = st.sampled_from(
    ["participant_id", "scan_id", "label", "probability", "model", "threshold", "site", "status"]
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.lists(names, min_size=1, max_size=8),
    rows=st.lists(st.lists(cells, max_size=9), max_size=6),
    delimiter=st.sampled_from([",", "\t", ";"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_table_is_read_or_refused_with_a_code(
    tmp_path: Path, head: list[str], rows: list[list[str]], delimiter: str, quoting: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    path = tmp_path / "a.csv"
    path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    assert outcome(path) in ("read", "HC401")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), whole=st.booleans())
def test_any_bytes_are_read_or_refused_with_a_code(
    tmp_path: Path, content: bytes, whole: bool
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content if whole else GOOD.encode() + content)
    assert outcome(path) in ("read", "HC401")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GOOD.replace(",", ";").replace(".", ","), "decimal commas were read in probability"),
        (GOOD.replace(",", "\t").replace(".", ","), "decimal commas were read in probability"),
        (GOOD.replace("0.9", "90 %").replace("0.2", "20 %"), "probability was read as percentages"),
        (GOOD.replace(",1,", ",HT,").replace(",0,", ",no HT,"), "0 for no ht, 1 for ht"),
        (GOOD.replace(",1,", ",True,").replace(",0,", ",False,"), "0 for false, 1 for true"),
        (GOOD.replace(",1,", ",1.0,").replace(",0,", ",0.0,"), "0 for 0.0, 1 for 1.0"),
        (GOOD.replace("scan_id", "Scan ID"), "column Scan ID was read as scan_id"),
    ],
)
def test_what_can_mean_one_thing_alone_is_read_and_told(
    tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.warns(ReadAs, match=told):
        found = read_predictions(path)
    assert found.scan.tolist() == ["s1", "s2"]
    assert found.truth.tolist() == [True, False]
    assert found.models[0].cases.score.tolist() == [0.9, 0.2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.replace("0.9", "90").replace("0.2", "20"), "divide percentages by 100"),
        (GOOD.replace("0.9", "90%"), "row 2, column probability"),
        (GOOD.replace(",1,", ",HT,").replace(",0,", ",maybe,"), "rows 2, 3, column label: 0 or 1"),
        (GOOD.replace("label", "outcome"), "it has participant_id, scan_id, outcome, probability"),
        (GOOD.replace("label", "\x1b[2J"), "it has participant_id, scan_id, ?[2J, probability"),
        (GOOD.partition("\n")[2], "first row seems to hold cells"),
        (GOOD.replace(",", ";").replace("0.9", "1,250").replace("0.2", "3,100"), "may mean 1.234"),
    ],
)
def test_what_could_mean_something_else_is_refused(tmp_path: Path, content: str, said: str) -> None:
    assert said in refused(tmp_path / "a.csv", content)


def test_a_spreadsheets_date_is_told_for_one(tmp_path: Path) -> None:
    path = tmp_path / "clinical.csv"
    path.write_text("participant_id,age\np1,43101\n")
    with pytest.raises(TableError, match="is how a spreadsheet keeps a date"):
        read_clinical(path, np.array(["p1"], object), np.array(["s1"], object))
    path.write_text("participant_id,age\np1,2018-01-02\n")
    with pytest.raises(TableError, match="some cells are dates"):
        read_clinical(path, np.array(["p1"], object), np.array(["s1"], object))


def test_other_ways_to_write_text_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "\u6807\u7b7e.csv"
    text = GOOD.replace("label", "\u533b\u9662,label").replace("p1,s1", "p1,s1,\u5317\u4eac")
    path.write_bytes(text.replace("p2,s2", "p2,s2,\u4e0a\u6d77").encode("gbk"))
    with pytest.warns(ReadAs, match="read as Chinese text in GBK"):
        found = read_table(path)
    assert found["\u533b\u9662"].tolist() == ["\u5317\u4eac", "\u4e0a\u6d77"]
    path.write_bytes(GOOD.encode("utf-16"))
    assert read_table(path)["scan_id"].tolist() == ["s1", "s2"]
    assert called(path) == "\u6807\u7b7e.csv"
    assert called(Path("a\nb.csv")) == "a?b.csv"


def test_an_excel_sheet_is_a_table_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook({"a": [row.split(",") for row in GOOD.splitlines()]}))
    found = read_predictions(path)
    assert found.truth.tolist() == [True, False]
    assert found.models[0].cases.score.tolist() == [0.9, 0.2]
    path.write_bytes(b"\xd0\xcf\x11\xe0 old")
    with pytest.raises(TableError, match="a workbook of Excel 97"):
        read_table(path)
