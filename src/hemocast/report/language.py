"""The language of a page: one catalogue for what templates say and for what other rooms tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from gettext import NullTranslations, translation
from pathlib import Path

from markupsafe import Markup

from hemocast.errors import UsageError
from hemocast.report import words

LOCALES = Path(__file__).parent / "locale"
"""Holds ``CODE/LC_MESSAGES/hemocast.po``, and beside it the ``.mo`` that Babel compiles from it."""

TOLD = "told"
"""Context, in the catalogue, of sentences that come finished from other rooms: doubts, signs, names
of models. In one, ``%(name)s`` stands for a number or another word without spaces, and ``%(NAME)s``
for any text; both are translated in turn."""

_CONTEXT_ENDS = "\4"
_PLACE = re.compile(r"%\((\w+)\)s")
_TAGS = {"en": "en", "zh": "zh-Hans"}
_WORD = re.compile(r"[a-z]{2}")


@dataclass(frozen=True)
class Language:
    """A language, and how it says numbers.

    Parameters
    ----------
    code : str
        ``"en"`` or ``"zh"``.
    catalogue : NullTranslations
        What is said in it.
    """

    code: str
    catalogue: NullTranslations

    @property
    def tag(self) -> str:
        """For the ``lang`` of a page."""
        return _TAGS[self.code]

    @property
    def is_english(self) -> bool:
        """Whether everything stays as it is written in the source."""
        return self.code == "en"

    @property
    def space(self) -> str:
        """What stands between two sentences."""
        return " " if self.is_english else ""

    @property
    def stop(self) -> str:
        """What ends a sentence."""
        return "." if self.is_english else "。"

    @property
    def semicolon(self) -> str:
        """What parts the items of a list that hold commas."""
        return "; " if self.is_english else "；"  # noqa: RUF001 - Chinese

    @property
    def comma(self) -> str:
        """What parts the items of a list."""
        return ", " if self.is_english else "，"  # noqa: RUF001 - Chinese

    def listed(self, names: Sequence[str]) -> str:
        """Join names: "M1, M2 and insula"."""
        if not self.is_english:
            return "、".join(names)
        *most, last = names
        return f"{', '.join(most)} and {last}" if most else last

    def say(self, message: str, **values: object) -> str:
        """Translate a message of our own and fill it.

        Parameters
        ----------
        message : str
            English, with ``%(name)s`` for every value, and ``%%`` for a percent sign.
        **values
            Strings, or what reads well as one.
        """
        return self.catalogue.gettext(message) % values

    def told(self, text: str) -> str:
        """Translate a finished text of another room; what the catalogue lacks stays English."""
        return self._found(text) or text

    def shown(self, text: str) -> Markup:
        """Give `told` for a page, which marks what stays English."""
        found = self._found(text)
        if self.is_english or found or not _WORD.search(text):
            return Markup("{}").format(found or text)
        return Markup('<span lang="en">{}</span>').format(text)

    def told_sentence(self, text: str, *, capital: bool = True) -> Markup:
        """Give `shown` of a text, as a sentence; "" stays "".

        Parameters
        ----------
        text : str
            As another room tells it.
        capital : bool
            Begin with a capital letter, where the language has them.
        """
        known = self._found(text.removesuffix(".")) or self._found(text)
        if self.is_english or not known:
            return self.shown(words.sentence(text) if capital else words.closed(text))
        return Markup("{}").format(self.sentence(known))

    def told_title(self, text: str) -> Markup:
        """Give `shown` of a name, beginning with a capital letter."""
        return self.shown(text if self._found(text) else text[:1].upper() + text[1:])

    def percent(self, share: float) -> str:
        """Say a probability, as `words.percent` does."""
        return self._percent_signs(words.percent(share))

    def exact_percent(self, share: float) -> str:
        """Say a probability with two digits more."""
        return self._percent_signs(f"{100 * share:.2f} %")

    def sentence(self, text: str) -> str:
        """Make a sentence of a text that is already in the language; "" stays ""."""
        if self.is_english:
            return words.sentence(text)
        text = text.strip()
        ended = not text or text[-1] in "。！？.!?"  # noqa: RUF001 - Chinese
        return text if ended else text + self.stop

    def closed(self, text: str) -> str:
        """End with a full stop, and leave the first letter as it is."""
        return words.closed(text) if self.is_english else self.sentence(text)

    def _found(self, text: str) -> str | None:
        if self.is_english:
            return None
        known = self.catalogue.pgettext(TOLD, text)
        if known != text:
            return known
        for pattern, translated in self._patterns:
            if match := pattern.fullmatch(text):
                parts = {name: self._part(part) for name, part in match.groupdict().items()}
                if None not in parts.values():
                    return translated % parts
        return None

    def _part(self, text: str) -> str | None:
        """Translate what stands in a place; numbers and symbols stay, unknown words are refused."""
        known = self._found(text)
        return known if known or _WORD.search(text) else self._percent_signs(text)

    def _percent_signs(self, text: str) -> str:
        return text if self.is_english else re.sub(r"(?<=\d) %", "%", text)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """What texts with places look like, those with most fixed letters first."""
        messages = getattr(self.catalogue, "_catalog", {})
        begins = TOLD + _CONTEXT_ENDS
        texts = {
            message.removeprefix(begins): translated
            for message, translated in messages.items()
            if isinstance(message, str) and message.startswith(begins) and _PLACE.search(message)
        }
        fixed = sorted(texts, key=lambda text: len(_PLACE.sub("", text)), reverse=True)
        return [(_pattern(text), texts[text]) for text in fixed]


def _pattern(text: str) -> re.Pattern[str]:
    parts = _PLACE.split(text.replace("%%", "%"))
    fixed = [re.escape(part) for part in parts[::2]]
    groups = [f"(?P<{name}>{'.+?' if name.isupper() else '[^ ]+?(?: %)?'})" for name in parts[1::2]]
    return re.compile("".join(a + b for a, b in zip(fixed, [*groups, ""], strict=True)))


@cache
def language(code: str = "en") -> Language:
    """Return a language by its code.

    Raises
    ------
    UsageError
        There is no catalogue for it.
    """
    if code == "en":
        return Language(code, NullTranslations())
    if code not in _TAGS:
        raise UsageError(
            f"The language {code!r}", f"one of {', '.join(_TAGS)}", "Choose one of these"
        )
    return Language(code, translation("hemocast", LOCALES, [code]))


ENGLISH = language()
