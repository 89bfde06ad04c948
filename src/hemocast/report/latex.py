"""Tables for LaTeX."""

from __future__ import annotations

from collections.abc import Collection, Sequence

_ESCAPES = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
})  # fmt: skip


def escape(text: str) -> str:
    """Escape the characters that LaTeX reads as commands."""
    return text.translate(_ESCAPES)


def latex_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str,
    notes: Sequence[str] = (),
    rules: Collection[int] = (),
) -> str:
    """Return a ``table`` (package: booktabs).

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str
        As many cells as columns each.
    caption : str
        What it shows.
    notes : sequence of str
        Under the table.
    rules : collection of int
        Rows, counted from 0, that have a rule below them.
    """
    lines = []
    for k, row in enumerate(rows):
        lines.append(_row(row))
        if k in rules and k + 1 < len(rows):
            lines.append(r"\midrule")
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{escape(caption)}}}",
            rf"\begin{{tabular}}{{l{'c' * (len(columns) - 1)}}}",
            r"\toprule",
            _row(columns),
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par {escape(note)}" for note in notes),
            r"\end{table}",
            "",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escape, cells)) + r" \\"
