"""A text -> its words, and what each means by the table in ``terms.tsv``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files


class Meaning(StrEnum):
    """What a term says; the head of ``terms.tsv`` explains each."""

    WITHOUT = "without"
    NOT = "not"
    NONE = "none"
    WITH = "with"
    AND = "and"
    FILLER = "filler"
    AGENT = "agent"
    ENHANCED = "enhanced"
    VESSELS = "vessels"
    PLAIN = "plain"
    BOTH = "both"
    MAYBE = "maybe"
    UNKNOWN = "unknown"
    NEUTRAL = "neutral"
    LOCALIZER = "localizer"
    PERFUSION = "perfusion"
    BONE = "bone"
    MADE = "made"
    MADE_WORDS = "made-words"
    HEAD = "head"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Word:
    """One word or phrase of a text.

    Parameters
    ----------
    text : str
        Folded: upper case, without accents.
    meanings : frozenset of Meaning
        Empty for a word that the table does not have.
    start, end : int
        Where it stands in the folded text.
    """

    text: str
    meanings: frozenset[Meaning]
    start: int
    end: int


# Scripts written without spaces: kana, ideographs, Hangul. Every character is a part of its own.
SOLID = r"\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
# A mark by itself is a name that was taken out: NO _ CONTRAST is not NO CONTRAST.
_PARTS = rf"[{SOLID}]|(?:(?![{SOLID}])[^\W\d_])+|\d+|(?<![^\W_])_(?![^\W_])"
_UMLAUTS = (("Ä", "AE"), ("Ö", "OE"), ("Ü", "UE"))
_WITHOUT_MARKS = str.maketrans({"ß": "SS", "Ł": "L", "Ø": "O", "Æ": "AE", "Đ": "D", "Œ": "OE"})
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_HUMP = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])(?!L\b)")  # but mL
# Values of DICOM's kinds CS and SH end after 16 characters, those of LO after 64.
_CUT_LENGTHS = frozenset({16, 64})
_LEAST_STUMP = 4


def spelled(text: str) -> str:
    """Write a text in upper case, words that are run together (``KopfOhneKM``) taken apart."""
    return _HUMP.sub(" ", text).upper()


def fold(text: str, *, umlauts: bool = True) -> str:
    """Write a text in upper case without accents.

    Parameters
    ----------
    text : str
        Any text.
    umlauts : bool
        Write Ä, Ö and Ü as German does without them: AE, OE, UE; else as A, O, U.
    """
    if text.isascii():
        return text.upper()
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).upper()
    for umlaut, letters in _UMLAUTS if umlauts else ():
        text = text.replace(umlaut, letters)
    plain = unicodedata.normalize("NFKD", text.translate(_WITHOUT_MARKS))
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


@dataclass(frozen=True)
class _Table:
    """The table, ready to be looked up.

    Parameters
    ----------
    terms : dict
        Parts of a term -> what it means.
    longest : int
        Parts of the longest term.
    part : Pattern
        Finds the parts of a text.
    """

    terms: dict[tuple[str, ...], frozenset[Meaning]]
    longest: int
    part: re.Pattern[str]


@lru_cache(maxsize=1)
def _table() -> _Table:
    rows: list[tuple[str, Meaning]] = []
    table = files("hemocast.dicom.words").joinpath("terms.tsv").read_text("utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            meaning, _, _, terms = line.split("\t")
            rows += [(term, Meaning(meaning)) for term in terms.split(" | ")]
    signs = sorted({fold(term) for term, _ in rows if set(term) & set("+-/")}, key=len)[::-1]
    signs = [sign for sign in signs if "+" in sign or sign.endswith("-")]
    starts = "|".join(("" if s[0] == "+" else r"(?<![^\W_])") + re.escape(s) for s in signs)
    part = re.compile(rf"(?:{starts})(?![^\W_])|{_PARTS}")
    found: dict[tuple[str, ...], frozenset[Meaning]] = {}
    for term, meaning in rows:
        for umlauts in (True, False):
            parts = tuple(part.findall(fold(term, umlauts=umlauts)))
            found[parts] = found.get(parts, frozenset()) | {meaning}
    return _Table(found, max(map(len, found)), part)


@lru_cache(maxsize=1024)
def read_words(text: str) -> tuple[Word, ...]:
    """Take a text apart into the longest terms of the table, and the words that are none.

    A term counts only where no letter adjoins it, save in scripts that are written without spaces.
    What separates words (spaces, ``_ - / . ,`` and the like) does not matter; a last word that the
    length of its field cut off counts as the shortest term that it begins.

    Parameters
    ----------
    text : str
        Free text in any script.
    """
    found = list(_table().part.finditer(fold(text)))
    return tuple(_words(found, cut=len(text) in _CUT_LENGTHS))


def _words(found: list[re.Match[str]], *, cut: bool) -> Iterator[Word]:
    table, parts, at = _table(), tuple(part.group() for part in found), 0
    while at < len(parts):
        for length in range(min(table.longest, len(parts) - at), 0, -1):
            meanings = table.terms.get(parts[at : at + length])
            if meanings:
                break
        else:
            length, meanings = 1, frozenset()
            if cut and at == len(parts) - 1:
                meanings = _begun(parts[at])
        start, end = found[at].start(), found[at + length - 1].end()
        yield Word(" ".join(parts[at : at + length]), meanings, start, end)
        at += length


def _begun(stump: str) -> frozenset[Meaning]:
    """What the shortest term of one word that begins so means."""
    if len(stump) < _LEAST_STUMP:
        return frozenset()
    longer = [t for t in _table().terms if len(t) == 1 and t[0].startswith(stump)]
    best = min(longer, key=lambda term: (len(term[0]), term), default=())
    return _table().terms.get(best, frozenset())


def means(text: str, meaning: Meaning) -> bool:
    """Tell whether a word or phrase of a text has this meaning."""
    return any(meaning in word.meanings for word in read_words(text))
