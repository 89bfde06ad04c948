"""Checklists as data, and what a study's records answer of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import yaml

from hemocast.files import table_text
from hemocast.report.words import sentence

ITEMS = resources.files("hemocast") / "report" / "checklists" / "items"
NAMES = ("tripod-ai", "claim", "stard-ai", "probast-ai", "decide-ai")
"""Files of `ITEMS`, in the order in which they are shown."""
COLUMNS = (
    "checklist", "item", "section", "asks", "status", "answer", "where", "author_must_write",
    "risk_of_bias",
)  # fmt: skip

Status = Literal["answered", "partly", "author must write", "does not apply"]
Severity = Literal["high", "some", "not known"]


@dataclass(frozen=True)
class Statement:
    """What the records say of one thing, in words.

    Parameters
    ----------
    key : str
        Of the thing, such as ``split``; also its anchor on the page.
    title : str
        What it is called there.
    text : str
        Whole sentences.
    """

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Flag:
    """Something in the records that may bias the result.

    Parameters
    ----------
    code : str
        Which check; stable.
    severity : str
        ``high``, ``some``, or ``not known``: the records that would tell were not given.
    text : str
        What was seen, and what follows.
    """

    code: str
    severity: Severity
    text: str


@dataclass(frozen=True)
class Item:
    """One thing that a checklist asks for.

    Parameters
    ----------
    number, section : str
        As published.
    asks : str
        In our own words.
    told, more : tuple of str
        Keys of the statements that it takes to answer it, and of those that belong to it where
        there are any (in the files, with a question mark).
    author : str
        What no record says; "" where the records say all.
    flags : tuple of str
        Codes of the flags that belong to it.
    part : str
        ``development`` or ``evaluation`` where it is about that alone, else "".
    """

    number: str
    section: str
    asks: str
    told: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    author: str = ""
    flags: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True)
class Checklist:
    """A published checklist.

    Parameters
    ----------
    key : str
        Of its files.
    name, edition, about : str
        What it is called, of which year, and for what.
    reference, doi : str
        Its source.
    items : tuple of Item
        In its order.
    """

    key: str
    name: str
    edition: str
    about: str
    reference: str
    doi: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Answer:
    """What the records answer to an item.

    Parameters
    ----------
    item : Item
        Which.
    status : str
        Whether they answer it.
    statements : tuple of Statement
        Where they do.
    author : str
        What remains to be written; "" where nothing does.
    flags : tuple of Flag
        Raised by the records.
    """

    item: Item
    status: Status
    statements: tuple[Statement, ...] = ()
    author: str = ""
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Filled:
    """A checklist with its answers, one an item."""

    checklist: Checklist
    answers: tuple[Answer, ...]

    def count(self, status: Status) -> int:
        """Count the items of a status."""
        return sum(answer.status == status for answer in self.answers)


@cache
def read_checklist(key: str) -> Checklist:
    """Read one of `NAMES`."""
    content = yaml.safe_load((ITEMS / f"{key}.yaml").read_text(encoding="utf-8"))
    items = tuple(
        Item(
            number=str(one["item"]),
            section=one["section"],
            asks=one["asks"],
            told=tuple(key for key in one.get("told", ()) if key[-1] != "?"),
            more=tuple(key[:-1] for key in one.get("told", ()) if key[-1] == "?"),
            author=one.get("author", ""),
            flags=tuple(one.get("flags", ())),
            part=one.get("part", ""),
        )
        for one in content["items"]
    )
    return Checklist(
        key, content["name"], str(content["edition"]), content["about"], content["reference"],
        content["doi"], items,
    )  # fmt: skip


def fill(checklist: Checklist, statements: Sequence[Statement], flags: Sequence[Flag]) -> Filled:
    """Answer every item from what the records say; what they do not say is the author's to write.

    Parameters
    ----------
    checklist : Checklist
        Which.
    statements, flags : sequence of Statement, Flag
        All that the records say.
    """
    said = {statement.key: statement for statement in statements}
    return Filled(checklist, tuple(_answer(item, said, flags) for item in checklist.items))


def _answer(item: Item, said: Mapping[str, Statement], flags: Sequence[Flag]) -> Answer:
    found = tuple(said[key] for key in (*item.told, *item.more) if key in said)
    raised = tuple(flag for flag in flags if flag.code in item.flags)
    lacking = not set(item.told) <= set(said)
    author = item.author or (_REST if found else _ALL) * lacking
    if not found:
        return Answer(item, "author must write", (), author, raised)
    return Answer(item, "partly" if author else "answered", found, author, raised)


_ALL = "all of it: no record given says it"
_REST = "the rest: no record given says it"


def not_applied(checklist: Checklist) -> Filled:
    """Return a checklist of which no item applies to the study."""
    return Filled(checklist, tuple(Answer(item, "does not apply") for item in checklist.items))


def checklist_csv(filled: Iterable[Filled], page: str, *, simulated: bool) -> str:
    """Return checklists as CSV, a line an item.

    Parameters
    ----------
    filled : iterable of Filled
        With their answers.
    page : str
        File of the page whose anchors ``where`` names.
    simulated : bool
        The data are: a last column, ``simulated``, is then 1 in every row.
    """
    rows = [_row(one.checklist, answer, page) for one in filled for answer in one.answers]
    more = {"simulated": 1} if simulated else {}
    return table_text((row | more for row in rows), [*COLUMNS, *more])


def _row(checklist: Checklist, answer: Answer, page: str) -> dict[str, object]:
    item = answer.item
    values = (
        f"{checklist.name} {checklist.edition}", item.number, item.section, item.asks,
        answer.status,
        " ".join(statement.text for statement in answer.statements),
        "; ".join(f"{page}#{statement.key}" for statement in answer.statements),
        answer.author,
        " ".join(f"{flag.severity}: {sentence(flag.text)}" for flag in answer.flags),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
