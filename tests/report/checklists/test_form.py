from __future__ import annotations

from hemocast.report.checklists.checklist import Statement, fill, read_checklist
from hemocast.report.checklists.form import DATASHEET, MODEL_CARD, answered, form_markdown


def test_a_form_has_the_sections_of_its_source_and_says_what_is_lacking() -> None:
    filled = fill(
        read_checklist(MODEL_CARD), (Statement("purpose", "", "For <b>research</b>."),), ()
    )
    text = form_markdown(filled, "ours*", simulated=True)
    for section in (
        "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
        "Quantitative analyses", "Ethical considerations", "Caveats and recommendations",
    ):  # fmt: skip
        assert f"\n## {section}\n" in text
    assert "SIMULATED" in text
    assert r"\<b\>" in text
    assert r"ours\*" in text
    assert "*Author must write: the users.*" in text
    assert answered(filled).startswith("0 of 12 questions answered, 1 in part")


def test_the_data_sheet_has_the_seven_parts() -> None:
    sections = {item.section for item in read_checklist(DATASHEET).items}
    assert sections == {
        "Motivation", "Composition", "Collection", "Processing", "Uses", "Distribution",
        "Maintenance",
    }  # fmt: skip
