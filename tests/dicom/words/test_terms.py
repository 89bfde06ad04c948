"""The table itself, and words found as words."""

from __future__ import annotations

import string
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.words.terms import Meaning, fold, means, read_words, spelled

ROWS = [
    line.split("\t")
    for line in files("hemocast.dicom.words").joinpath("terms.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
LATIN = sorted(
    {t for *_, terms in ROWS for t in terms.split(" | ") if len(t) > 1 and fold(t).isalpha()}
)
LATIN = [term for term in LATIN if fold(term).isascii()]


def test_every_row_has_a_meaning_a_language_a_source_and_terms() -> None:
    assert {row[0] for row in ROWS} == {str(meaning) for meaning in Meaning}
    for meaning, language, source, terms in ROWS:
        assert language
        assert source.split(":")[0] in {"word", "usage", "maker", "DICOM"}
        listed = terms.split(" | ")
        assert all(term == term.strip() and term for term in listed), meaning
        assert len(set(listed)) == len(listed), (meaning, language)


def test_the_languages_promised_are_there_for_plain_and_for_contrast() -> None:
    for wanted in ("en", "zh", "de", "fr", "es", "it", "pt", "nl", "ja", "tr", "pl", "ru", "ko"):
        for kinds in ({"plain", "without"}, {"enhanced", "agent", "with"}, {"head"}, {"bone"}):
            have = {m for m, language, *_ in ROWS if wanted in language.split()}
            assert have & kinds, (wanted, kinds)


@given(
    st.sampled_from(LATIN),
    st.text(string.ascii_uppercase, min_size=4, max_size=6),
    st.text(string.ascii_uppercase, min_size=4, max_size=6),
    st.sampled_from(("before", "behind", "around")),
)
def test_a_word_inside_a_longer_word_is_never_found(
    term: str, before: str, behind: str, where: str
) -> None:
    longer = fold(term)
    longer = longer if where == "behind" else before + longer
    longer = longer if where == "before" else longer + behind
    listed = {fold(t) for t in LATIN} | {fold(t, umlauts=False) for t in LATIN}
    (word,) = read_words(longer)
    assert not word.meanings or longer in listed


@given(st.sampled_from(LATIN), st.sampled_from(" _-/.,:;()[]"), st.sampled_from(" _-/.,:;5"))
def test_a_word_among_signs_and_digits_is_always_found(term: str, one: str, other: str) -> None:
    # Signs behind some words mean something: C+, KM-.
    for text in (f"{one}{term} ", f"X{one}{term}{other}X", term.upper(), term.lower()):
        if other == "-" and f"{fold(term)}-" in fold(text):
            continue
        assert any(word.meanings for word in read_words(text)), text


@given(st.text(max_size=64))
def test_no_text_is_too_odd(text: str) -> None:
    folded = fold(text)
    for word in read_words(text):
        assert word.text
        assert folded[word.start : word.end]


@pytest.mark.parametrize(
    ("text", "meaning", "found"),
    [
        ("EMERGENCY MEDICINE", Meaning.PERFUSION, False),
        ("PERFECT", Meaning.PERFUSION, False),
        ("HEAD_CINE_5", Meaning.PERFUSION, True),
        ("KOPF5MM", Meaning.HEAD, True),
        ("SCHADEL", Meaning.HEAD, True),
        ("Schaedel", Meaning.HEAD, True),
        ("SCHÄDEL", Meaning.HEAD, True),
        ("C-SPINE", Meaning.PLAIN, False),
        ("HEAD C-", Meaning.PLAIN, True),
        ("HEAD C\u2212", Meaning.PLAIN, True),
        ("ＨＥＡＤ", Meaning.HEAD, True),  # noqa: RUF001
        ("头颅CT平扫", Meaning.PLAIN, True),
        ("KONTRASTSIZ", Meaning.PLAIN, True),
        ("kontrastsız", Meaning.PLAIN, True),  # noqa: RUF001
        ("BEYİN", Meaning.HEAD, True),
        ("骨盆", Meaning.BONE, False),
        ("骨窗", Meaning.BONE, True),
        ("HEAD NON CONTRAS", Meaning.AGENT, True),  # 16 characters, the last word cut
        ("HEAD NO CONTRAS", Meaning.AGENT, False),  # 15: not cut by the field's length
    ],
)
def test_words_are_found_whatever_their_case_accents_and_signs(
    text: str, meaning: Meaning, found: bool
) -> None:
    assert means(text, meaning) is found


def test_words_run_together_are_taken_apart() -> None:
    assert spelled("KopfOhneKM 5.0mL") == "KOPF OHNE KM 5.0ML"
    assert spelled("HeadSeq") == "HEAD SEQ"
