"""A model card or a data sheet: a form of sections and questions, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from hemocast.report.checklists.checklist import Answer, Filled
from hemocast.report.words import RESEARCH_NOTICE, sentence

MODEL_CARD, DATASHEET = "model-card", "datasheet"


def form_markdown(filled: Filled, title: str, *, simulated: bool) -> str:
    """Return a filled form as Markdown.

    Parameters
    ----------
    filled : Filled
        With its answers.
    title : str
        What it is of.
    simulated : bool
        Say at the top that the data are simulated.
    """
    form = filled.checklist
    lines = [f"# {form.name}: {_plain(title)}", ""]
    if simulated:
        lines += ["**SIMULATED data: not clinical evidence.**", ""]
    lines += [f"**{RESEARCH_NOTICE}**", ""]
    for section, answers in groupby(filled.answers, key=lambda answer: answer.item.section):
        lines += [f"## {section}", ""]
        for answer in answers:
            lines += [f"### {answer.item.asks}", "", *_answer(answer)]
    lines += [f"After {form.reference}, {form.doi}; questions in our own words.", ""]
    return "\n".join(lines)


def _answer(answer: Answer) -> Iterator[str]:
    for statement in answer.statements:
        yield _plain(statement.text)
        yield ""
    if answer.author:
        yield f"*Author must write: {answer.author}.*"
        yield ""


def _plain(text: str) -> str:
    """Keep a text from being read as HTML or as marks of Markdown."""
    for sign in "\\`*[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def answered(filled: Filled) -> str:
    """Say how much of a form the records fill."""
    whole = len(filled.answers)
    return sentence(
        f"{filled.count('answered')} of {whole} questions answered, {filled.count('partly')} in "
        f"part, {filled.count('author must write')} for the author"
    )
