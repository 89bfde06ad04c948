"""What a header's words say of contrast agent: given, not given, both, or nothing sure.

Words are the first evidence only; whether vessels are bright has the last word, in other rooms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from hemocast.dicom.words.terms import Meaning, Word, read_words

# One letter for each word of a text, so that a grammar of negations is a few patterns.
_LETTERS = (
    (Meaning.BOTH, "B"), (Meaning.PLAIN, "P"), (Meaning.VESSELS, "G"), (Meaning.AGENT, "A"),
    (Meaning.ENHANCED, "E"), (Meaning.WITHOUT, "N"), (Meaning.NOT, "n"), (Meaning.WITH, "W"),
    (Meaning.MAYBE, "M"), (Meaning.NONE, "z"), (Meaning.AND, "&"), (Meaning.FILLER, "f"),
    (Meaning.UNKNOWN, "u"),
)  # fmt: skip
_MEASURE = re.compile(r"#+m")
# In this order; what a pattern has used is not there for the next. A thickness is m.
_GRAMMAR = (
    (re.compile(r"W&*N|N&*[WM]|[Nn]&+[WME]|nM(?=f*[AE])"), "B"),  # with and without, pre and post
    (re.compile(r"[Nn]f*(?:A(?:f*A)*E?|E|G)"), "P"),  # without contrast, not enhanced, no angio
    (re.compile(r"[AE]f*z"), "P"),  # contrast: none
    (re.compile(r"[AE]f*[Nn]$"), "P"),  # contrast: no
    (re.compile(r"Nf*|nf+(?=m?$)"), "P"),  # head without; no iv
    (re.compile(r"[AEG]|Wf+(?=m?$)"), "C"),  # with iv
    (re.compile(r"M|W(?=m?$)"), "M"),  # head post; head with 5 mm
)


class Said(Enum):
    """What a text says of contrast agent."""

    NOTHING = auto()
    PLAIN = auto()
    CONTRAST = auto()
    BOTH = auto()
    """With and without: a protocol's title, or two series in one."""
    MAYBE = auto()
    """Delayed, post, carotids: no proof."""


class Agent(Enum):
    """What the field for the contrast agent says."""

    NONE = auto()
    UNKNOWN = auto()
    GIVEN = auto()


class Doubt(Enum):
    """What about a series that is read makes one doubt that it is plain; the value is a clause."""

    AGENT_BESIDE_PLAIN = "the series is named as plain, but its header names a contrast agent"
    AGENT_UNKNOWN = "the header does not know whether contrast agent was given"
    BOTH = "the series is named as with and without contrast agent"
    MAYBE = "a word of the series' name may mean that contrast agent was given"
    PROTOCOL = "the protocol's name, though not the series', mentions contrast agent"


@dataclass(frozen=True)
class Contrast:
    """Whether a series is read as plain.

    Parameters
    ----------
    given : bool
        The header says contrast agent; the series is not used.
    doubt : Doubt or None
        Why it may be, where it is used.
    """

    given: bool
    doubt: Doubt | None = None


def said_of_contrast(text: str) -> Said:
    """Say what a text says of contrast agent.

    Parameters
    ----------
    text : str
        A description or protocol name, any case, any of the table's languages.
    """
    sentence = _sentence(read_words(text))
    if "B" in sentence or ("P" in sentence and "C" in sentence):
        return Said.BOTH
    if "C" in sentence:
        return Said.CONTRAST
    if "P" in sentence:
        return Said.PLAIN
    return Said.MAYBE if "M" in sentence else Said.NOTHING


def _sentence(words: tuple[Word, ...]) -> str:
    letters = (next((x for m, x in _LETTERS if m in word.meanings), _other(word)) for word in words)
    sentence = _MEASURE.sub("m", "".join(letters))
    for pattern, result in _GRAMMAR:
        sentence = pattern.sub(result, sentence)
    # What stands behind "with and without" belongs to it.
    return re.sub(r"Bf*[AEC]", "B", sentence)


def _other(word: Word) -> str:
    return "#" if word.text.isdigit() else "m" if word.text == "MM" else "o"


def said_of_agent(text: str) -> Agent:
    """Say what ContrastBolusAgent says: departments write NONE, 0 ML and the like into it."""
    words = read_words(text)
    if all(_denies(word) for word in words):
        return Agent.NONE
    if said_of_contrast(text) is Said.PLAIN:
        return Agent.NONE
    unknown = any(Meaning.UNKNOWN in word.meanings for word in words)
    return Agent.UNKNOWN if unknown else Agent.GIVEN


def _denies(word: Word) -> bool:
    denying = {Meaning.WITHOUT, Meaning.NOT, Meaning.NONE}
    nothing = word.text in ("ML", "CC") or (word.text.isdigit() and int(word.text) == 0)
    return nothing or bool(word.meanings & denying)


def judge_contrast(series: str, protocol: str, agent: str) -> Contrast:
    """Weigh what a header says of contrast agent.

    The series' own name goes before the agent's field, which some scanners fill for a whole study,
    and both before the protocol's name, which is often that of several series. The study's title
    is not asked: it names all its series.

    Parameters
    ----------
    series, protocol, agent : str
        SeriesDescription, ProtocolName and ContrastBolusAgent.
    """
    own, substance = said_of_contrast(series), said_of_agent(agent)
    if own is Said.CONTRAST or (substance is Agent.GIVEN and own is not Said.PLAIN):
        return Contrast(given=True)
    if substance is Agent.GIVEN:
        return Contrast(given=False, doubt=Doubt.AGENT_BESIDE_PLAIN)
    if own is Said.BOTH:
        return Contrast(given=False, doubt=Doubt.BOTH)
    if own is Said.MAYBE:
        return Contrast(given=False, doubt=Doubt.MAYBE)
    if substance is Agent.UNKNOWN and own is not Said.PLAIN:
        return Contrast(given=False, doubt=Doubt.AGENT_UNKNOWN)
    if own is Said.NOTHING and said_of_contrast(protocol) is Said.CONTRAST:
        return Contrast(given=False, doubt=Doubt.PROTOCOL)
    return Contrast(given=False)
