from __future__ import annotations

from hemocast.papercheck.numbers import Finding, Printed, Rounded
from hemocast.papercheck.sets import check_sets


def line(table: str, row: str, stratum: str = "", **sizes: int) -> list[Printed]:
    return [
        Printed(table, row, column, Rounded(str(size), "count"), stratum=stratum)
        for column, size in sizes.items()
    ]


def codes(printed: list[Printed]) -> dict[str, Finding]:
    return {finding.code: finding for finding in check_sets(printed)}


ALL = line("Table 1", "patients", total=474, train=437, test=61)
MALE = line("Table 1", "patients", "sex: male", total=351, train=323, test=47)
FEMALE = line("Table 1", "patients", "sex: female", total=123, train=114, test=14)


def test_24_patients_are_in_both_sets_and_the_sexes_say_so_too() -> None:
    found = codes([*ALL, *MALE, *FEMALE])
    assert set(found) == {"overlap"}
    assert "At least 24 patients" in found["overlap"].sentence
    assert "39.3 % of the test part and 5.1 % of the whole" in found["overlap"].sentence
    arithmetic = found["overlap"].arithmetic
    assert "437 + 61 - 474 = 24" in arithmetic
    assert "male 323 + 47 - 351 = 19, female 114 + 14 - 123 = 5; together 24" in arithmetic


def test_strata_alone_prove_it() -> None:
    found = list(check_sets([*MALE, *FEMALE]))
    assert [f.code for f in found] == ["overlap", "overlap"]
    assert "19" in found[0].sentence


def test_parts_that_add_up_are_clean_also_with_a_validation_part() -> None:
    assert not codes(line("T", "patients", total=474, train=380, validation=33, test=61))
    assert not codes(line("T", "patients", total=474, train=380))


def test_counts_printed_differently_with_the_parts_that_fall_short() -> None:
    found = codes([*line("Abstract", "scans", total=613),
                   *line("Results", "scans", total=611, train=548, test=61)])  # fmt: skip
    assert found["counts-differ"].arithmetic == "613 != 611 != 609"
    assert found["no-part"].severity == "warning"


def test_labels_exchanged() -> None:
    found = codes([*line("Abstract", "patients", "outcome: HT", total=231),
                   *line("Abstract", "patients", "outcome: no HT", total=243),
                   *line("Results", "patients", "outcome: HT", total=243),
                   *line("Results", "patients", "outcome: no HT", total=231)])  # fmt: skip
    assert set(found) == {"counts-swapped"}


def test_levels_that_add_up_to_more_than_the_whole() -> None:
    drugs = [*line("T", "patients", "treatment: a", total=60),
             *line("T", "patients", "treatment: b", total=50)]  # fmt: skip
    more = codes([*line("T", "patients", total=100), *drugs])
    less = codes([*line("T", "patients", total=120), *drugs])
    assert more["strata-sum"].severity == "note"  # a patient may have both
    sexes = [*line("T", "patients", "sex: male", total=60),
             *line("T", "patients", "sex: female", total=50)]  # fmt: skip
    both = codes([*line("T", "patients", total=100), *sexes])
    assert both["strata-sum"].severity == "warning"
    assert less["strata-sum"].severity == "note"


def test_a_percentage_that_is_not_its_count() -> None:
    wrong = Printed("T", "x", "share", Rounded("72.14", "percent"), n=(61, 61), count=44)
    right = Printed("T", "x", "share", Rounded("72.13", "percent"), n=(61, 61), count=44)
    assert set(codes([wrong])) == {"count-percent"}
    assert not codes([right])


def test_parts_that_fall_short_are_not_another_count() -> None:
    assert set(codes(line("Results", "scans", total=611, train=548, test=61))) == {"no-part"}


def test_an_external_part_is_no_overlap() -> None:
    found = codes(line("T", "patients", total=474, train=413, validation=61, test=120))
    assert set(found) == {"external-part"}
    assert found["external-part"].severity == "note"


def test_tables_may_count_cases_of_their_own_passages_may_not() -> None:
    tables = codes([*line("Table 1", "patients", total=474),
                    *line("Table S2", "patients", total=120)])  # fmt: skip
    assert tables["counts-differ"].severity == "note"
    text = codes([*line("Abstract", "scans", total=613), *line("Results", "scans", total=611)])
    assert text["counts-differ"].severity == "error"


def test_percentages_cut_off_are_a_note_and_a_wrong_one_among_right_ones_is_not() -> None:
    def share(count: int, text: str) -> Printed:
        return Printed("T", f"r{count}", "share", Rounded(text, "percent"), n=(61, 61), count=count)

    cut = codes([share(29, "47.54"), share(10, "16.39"), share(44, "72.13"), share(5, "8.19")])
    assert set(cut) == {"digits-cut"}
    assert cut["digits-cut"].severity == "note"
    wrong = codes([share(29, "47.54"), share(44, "72.14")])
    assert set(wrong) == {"count-percent"}
