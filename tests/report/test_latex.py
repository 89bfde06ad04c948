"""Tables for LaTeX."""

from __future__ import annotations

from hemocast.report.latex import escape, latex_table


def test_no_letter_is_a_command() -> None:
    assert escape("50 % & a_b {x}") == r"50 \% \& a\_b \{x\}"
    assert escape("\\") == r"\textbackslash{}"
    assert escape("~^$#") == r"\textasciitilde{}\textasciicircum{}\$\#"


def test_a_table_has_its_rows_rules_and_notes() -> None:
    text = latex_table(["Who", "AUC"], [["A_1", "1"], ["B", "2"]], "50 %", ["n & m"], rules=(0, 1))
    assert text.splitlines() == [
        r"\begin{table}",
        r"\centering\small",
        r"\caption{50 \%}",
        r"\begin{tabular}{lc}",
        r"\toprule",
        r"Who & AUC \\",
        r"\midrule",
        r"A\_1 & 1 \\",
        r"\midrule",
        r"B & 2 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par n \& m",
        r"\end{table}",
    ]
