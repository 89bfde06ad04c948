"""The letter of a paper check, in English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from hemocast.papercheck import Finding, Printed, table_of
from hemocast.report.language import language
from hemocast.report.page import render
from hemocast.version import VERSION

Lang = Literal["en", "zh"]
PAGE = "letter.html"
_FOLDER = resources.files("hemocast") / "report" / "letter"
_SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Point:
    """A finding as the letter tells it.

    Parameters
    ----------
    where, kind, ask : str
        Its table and row; what it is; what the authors are asked.
    finding : Finding
        With its numbers.
    seen : str
        The numbers, with what they are called in the letter's language.
    """

    where: str
    kind: str
    ask: str
    finding: Finding
    seen: str


@cache
def words_of(lang: Lang) -> Mapping[str, Any]:
    """Read what the letter says in a language."""
    content = yaml.safe_load((_FOLDER / "words.yaml").read_text(encoding="utf-8"))
    return dict(content[lang])


@cache
def kinds() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Read what every code of a finding means: code -> language -> kind, and what is asked."""
    return dict(yaml.safe_load((_FOLDER / "findings.yaml").read_text(encoding="utf-8")))


def letter_page(
    printed: Sequence[Printed], findings: Sequence[Finding], *, paper: str = "", lang: Lang = "en"
) -> str:
    """Return the letter as a page to print.

    Parameters
    ----------
    printed : sequence of Printed
        What was checked.
    findings : sequence of Finding
        From `hemocast.papercheck.check`.
    paper : str
        Title or number of the manuscript; a line to fill in where it is "".
    lang : {"en", "zh"}
        Of the letter; the arithmetic stays as it was computed.
    """
    words = words_of(lang)
    tables = list(dict.fromkeys(one.table for one in printed))
    counts = {kind: sum(f.severity == kind for f in findings) for kind in _SEVERITIES}
    order = {name: place for place, name in enumerate(tables)}
    ordered = sorted(findings, key=lambda one: order.get(table_of(one, printed), len(order)))
    return render(
        "letter.html",
        style="letter.css",
        language=language(lang),
        w=words,
        paper=paper,
        counted=words["counted"].format(n=len(printed), tables=len(tables), **counts),
        made=words["made"].format(version=VERSION),
        parts=[
            (words[kind], [_point(one, lang) for one in ordered if one.severity == kind])
            for kind in _SEVERITIES
            if counts[kind]
        ],
    )


def _point(finding: Finding, lang: Lang) -> Point:
    kind, ask = kinds()[finding.code][lang]
    if lang == "en":
        return Point(finding.where, kind[0].upper() + kind[1:], ask, finding, finding.seen)
    return Point(
        _translated(finding.where, lang), kind, ask, finding, _translated(finding.seen, lang)
    )


def _translated(text: str, lang: Lang) -> str:
    """Call metrics and parts by their names in the language; numbers stay."""
    names = words_of(lang)["metrics"]
    return re.sub(r"[a-z_0-9]+", lambda found: names.get(found[0], found[0]), text)
