"""The page of a scan that was refused."""

from __future__ import annotations

from collections.abc import Callable

from hemocast.errors import BloodPresent
from hemocast.report.case.refusal import refusal_page
from hemocast.report.language import language

BLOOD = BloodPresent(
    "The scan already shows about 12.0 mL of blood",
    "a scan taken before any bleeding",
    "Use an earlier scan; hemorrhagic transformation can no longer be predicted here",
)


def test_it_says_why_what_to_do_and_gives_no_number_of_a_risk() -> None:
    page = refusal_page(BLOOD, "scan-1", "demonstration model")
    for said in (
        f"Why ({BLOOD.code})",
        "The scan already shows about 12.0 mL of blood.",
        "A scan taken before any bleeding.",
        "Use an earlier scan;",
        "neither that it is low nor that it is high",
        "demonstration model.",
        "For research only. Not a medical device.",
    ):
        assert said in page, said
    assert "%" not in page.partition("<body>")[2]


def test_it_is_written_in_chinese_too(html_faults: Callable[[str], list[str]]) -> None:
    page = refusal_page(BLOOD, "scan-1", "", language("zh"))
    assert html_faults(page) == []
    assert "扫描已显示约 12.0 mL 出血。" in page
    assert page.count('lang="en"') == 1, "only what says that nobody reviewed the translation"


def test_what_a_file_said_is_only_text() -> None:
    bad = BloodPresent("<script>alert(1)</script>", "<b>", "<i>")
    page = refusal_page(bad, "<u>", "<s>").partition("<body>")[2]
    assert not any(tag in page for tag in ("<script>alert", "<b>", "<i>", "<u>", "<s>"))
