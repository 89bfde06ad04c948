"""Bytes of a description -> text in its own script, whatever character set the header names."""

from __future__ import annotations

import re
import warnings

from hemocast.dicom.words.terms import read_words

# What scanners write where they name no character set, or a wrong one: China, Japan, Korea,
# Russia, Turkey, Central Europe.
_GUESSES = ("gb18030", "shift_jis", "euc_jp", "euc_kr", "big5", "cp1251", "iso8859_9", "iso8859_2")

_FOREIGN = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_LEAST_LETTERS = 4
_ENDS = set(b"\r\n\t\f")  # after these a text begins again in the first character set


def in_script(value: bytes, character_set: str) -> str:
    """Decode a description.

    By the character set that the header names, as UTF-8, or as one of those that scanners usually
    write without naming it: the first in which a word of the table stands that ASCII cannot write.
    Where there is none: UTF-8 if the bytes are valid in it, else as named, else Latin 1.

    Parameters
    ----------
    value : bytes
        As in the file.
    character_set : str
        SpecificCharacterSet (0008,0005), its values joined by backslashes.
    """
    named = _as_named(value, character_set) if character_set else None
    # Escapes switch between sets of ISO 2022; their bytes alone are valid UTF-8, too.
    utf8 = None if b"\x1b" in value else _decoded(value, "utf-8")
    latin = value.decode("latin-1")
    guesses = (named, utf8, latin, *(_decoded(value, guess) for guess in _GUESSES))
    known = (text for text in guesses if text is not None and _holds_known_word(text))
    return next(known, utf8 or named or latin)


def _as_named(value: bytes, character_set: str) -> str | None:
    from pydicom.charset import convert_encodings, decode_bytes

    with warnings.catch_warnings():
        # The parser warns of unknown sets in words taken from the file.
        warnings.simplefilter("error")
        try:
            encodings = convert_encodings(character_set.split("\\"))
            text: str = decode_bytes(value, encodings, _ENDS)
        # It raises whatever its code trips over in a hostile file.
        except Exception:
            return None
    return text


def _decoded(value: bytes, encoding: str) -> str | None:
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        return None


def _holds_known_word(text: str) -> bool:
    """Tell whether a word of the table stands among the letters that ASCII does not have.

    Short words of Latin letters say nothing: a wrong character set is full of them.
    """
    return any(
        word.meanings and (len(word.text) >= _LEAST_LETTERS or not word.text.isascii())
        for run in _FOREIGN.findall(text)
        for word in read_words(run)
    )
