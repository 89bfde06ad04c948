"""The picture of a secondary capture: risk, signs and frames, or why there are none.

No name, identifier or date of the patient stands in it. Drawn with Pillow, as the montage is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from hemocast.deliver.letters import Font, drawable, letters
from hemocast.deliver.result import Analysed, Refused, Result
from hemocast.model.prediction import Prediction
from hemocast.report.case.signs import view_signs
from hemocast.report.language import Language
from hemocast.report.pictures.frames import FLOOR, TOP, Heat, ramp, sides_in_words
from hemocast.report.pictures.montage import draw_frames

WIDTH = 1280
"""Pixels of the whole picture; less is hard to read on a workstation, more is scaled down there."""

_EDGE = 20
_INK, _DIM, _AMBER = (232, 236, 240), (165, 174, 184), (255, 190, 60)
_BAND = (56, 40, 6)
_MOST_SIGNS, _MOST_DOUBTS = 9, 6
# What a line is broken between: words, and Chinese letters with the marks that close after them.
_CLOSING = "[，。；：？！）、]*"  # noqa: RUF001 - Chinese
_PIECE = re.compile(rf"[⺀-\uffff]{_CLOSING}|[^⺀-\uffff\s]+{_CLOSING}\s*|\s+")


@dataclass(frozen=True)
class _Line:
    """A paragraph: its words, size in pixels, colour and the room under it."""

    text: str
    size: int
    colour: tuple[int, int, int] = _INK
    under: int = 6


def draw_result(result: Result) -> Image.Image:
    """Draw what a hospital is told of a scan, in the language of the result where a font can.

    What every picture says stands above and below all else: research only, and simulated where so.

    Parameters
    ----------
    result : Result
        What is told.
    """
    language = drawable(result.language)
    if isinstance(result.answer, Refused):
        body = _column(_of_refusal(result.answer, language), WIDTH - 2 * _EDGE, language)
        body = _framed(body)
    else:
        body = _of_answer(result.answer, language)
    head = _band(_notices(result, language), language)
    foot = _band([" · ".join(_maker(result, language))], language)
    whole = Image.new("RGB", (WIDTH, head.height + body.height + foot.height))
    whole.paste(head, (0, 0))
    whole.paste(body, (0, head.height))
    whole.paste(foot, (0, head.height + body.height))
    return whole


def _notices(result: Result, language: Language) -> list[str]:
    """What must be said, one line each."""
    first = language.say("Research only, not for clinical use.")
    lines = [f"Hemocast · {first}"]
    if result.simulated:
        lines.append(language.say("SIMULATED: the number says nothing about any patient."))
    if result.notice:
        lines.append(str(language.told_sentence(result.notice, capital=False).striptags()))
    if result.revision > 1:
        number = result.revision
        lines.append(
            language.say("Revision %(number)s: replaces the earlier result.", number=number)
        )
    return lines


def _maker(result: Result, language: Language) -> list[str]:
    parts = [] if language.is_english else [
        language.say("Translation not reviewed by a native reader.")
    ]  # fmt: skip
    if result.model is not None:
        named = f"{result.model.name} {result.model.version} ({result.model.hash[:12]})"
        parts.insert(0, f"{language.say('The model')}: {named}")
    return parts or ["Hemocast"]


def _of_refusal(refused: Refused, language: Language) -> list[_Line]:
    told = language.told_sentence
    lines = [
        _Line(language.say("Not analysed"), 44, under=16),
        _Line(language.say("Why (%(code)s)", code=refused.code), 20, _DIM),
        _Line(told(refused.seen).striptags(), 28, under=22),
    ]
    for title, text in (("What was expected", refused.expected), ("What to do", refused.action)):
        if text:
            lines += [
                _Line(language.say(title), 20, _DIM),
                _Line(told(text).striptags(), 22, under=16),
            ]
    meaning = language.say(
        "A refusal says nothing about the patient's risk: neither that it is low nor that it is "
        "high. No number is given because none could be believed."
    )
    return [*lines, _Line(meaning, 20, _DIM)]


def _of_answer(answer: Analysed, language: Language) -> Image.Image:
    """Draw the number and what was measured, over the frames."""
    wide = WIDTH - 2 * _EDGE
    left = _column(_risk(answer.prediction, language), wide * 11 // 20, language)
    right = _column(_beside(answer, language), wide * 9 // 20 - _EDGE, language)
    frames = _frames(answer.prediction, language)
    top = max(left.height, right.height) + _EDGE
    body = Image.new("RGB", (WIDTH, top + frames.height + _EDGE // 2))
    body.paste(left, (_EDGE, _EDGE // 2))
    body.paste(right, (_EDGE + wide - right.width, _EDGE // 2))
    body.paste(frames, ((WIDTH - frames.width) // 2, top))
    return body


def _risk(one: Prediction, language: Language) -> list[_Line]:
    percent = language.percent
    low, high = (percent(end) for end in one.probability_interval)
    side = (
        "Above the threshold of %(said)s: the model calls HT likely."
        if one.positive
        else "Below the threshold of %(said)s: the model does not call HT likely."
    )
    title = language.say(
        "Risk of hemorrhagic transformation from %(told)s", told=language.told(one.told)
    )
    interval = language.say(
        "95 %% interval of the mean risk of all patients with this score; a patient's own risk "
        "lies outside it more often than not"
    )
    lines = [
        _Line(title, 20, under=2),
        _Line(percent(one.probability), 64, under=8),
        _Line(language.say("Calibration curve %(low)s to %(high)s", low=low, high=high), 22),
        _Line(language.sentence(interval), 15, _DIM),
        _Line(language.say(side, said=percent(one.threshold)), 18),
        _Line(f"{language.say('Horizon')}: {language.told(one.horizon)}", 15, _DIM, 2),
        _Line(f"{language.say('Population')}: {language.told(one.population)}", 15, _DIM),
    ]
    return lines


def _beside(answer: Analysed, language: Language) -> list[_Line]:
    """Return signs and doubts, as many as there is room for; the report holds them all."""
    lines = []
    if answer.signs is not None:
        no_mask = np.zeros(answer.prediction.stack.frames.shape, np.bool_)
        rows = view_signs(answer.signs, no_mask).rows[:_MOST_SIGNS]
        lines.append(_Line(language.say("Measured on this scan"), 18, under=4))
        told = [f"{language.told_title(row.title)}: {language.told(row.value)}" for row in rows]
        lines += [_Line(text, 15, _DIM, 3) for text in told]
    flags = answer.prediction.flags
    if flags:
        title = f"{language.say('Reasons for doubt')} ({len(flags)})"
        lines.append(_Line(title, 18, _AMBER, 4))
        said = [language.told_sentence(flag).striptags() for flag in flags[:_MOST_DOUBTS]]
        lines += [_Line(text, 15, _DIM, 3) for text in said]
    return lines


def _frames(one: Prediction, language: Language) -> Image.Image:
    """Draw the frames under the scale of their heatmap."""
    frames, heat = draw_frames(one, language.told, partial(letters, language))
    sheet = frames.resize(
        (WIDTH, round(frames.height * WIDTH / frames.width)), Image.Resampling.LANCZOS
    )
    caption = _column(_caption(one, heat, language), WIDTH - 2 * _EDGE - 260, language)
    canvas = Image.new("RGB", (WIDTH, caption.height + sheet.height))
    canvas.paste(caption, (_EDGE, 0))
    if one.has_heatmap:
        bar = Image.fromarray(np.repeat(ramp()[np.newaxis], 14, axis=0)).resize((220, 14))
        canvas.paste(bar, (WIDTH - _EDGE - 220, 2))
        pen = ImageDraw.Draw(canvas)
        for text, across, anchor in (("0", 220, "la"), (f"{TOP:g} / cm3", 0, "ra")):
            where = (WIDTH - _EDGE - across, 18)
            pen.text(where, text, _DIM, letters(language, 12), anchor=anchor)
    canvas.paste(sheet, (0, caption.height))
    return canvas


def _caption(one: Prediction, heat: Heat, language: Language) -> list[_Line]:
    sides = language.told(sides_in_words(known=one.stack.record.sides_known))
    lines = [
        f"{language.say('Frame number and height above the lowest frame.')}{language.space}"
        f"{language.sentence(sides)}"
    ]
    if one.has_heatmap:
        lines.append(
            language.say(
                "The heatmap shows which regions moved the model's answer. It is no lesion "
                "outline, and it does not show where blood will appear."
            )
        )
    if one.has_heatmap and not heat.seen:
        lines.append(
            language.say(
                "Nowhere in this scan does the evidence for HT reach what is coloured (%(least)s "
                "log-odds per cm³, on the same scale in every scan); %(kind)s. Evidence against HT "
                "is not shown.",
                least=f"{FLOOR * TOP:g}",
                kind=language.told(one.heatmap_kind),
            )
        )
    if not one.has_heatmap:
        lines.append(
            language.say(
                "This model's answer belongs to no place in the scan: there is no heatmap."
            )
        )
    return [_Line(text, 14, _DIM, 3) for text in lines]


def _band(texts: Iterable[str], language: Language) -> Image.Image:
    """Draw lines of notice, light on dark, over the full width."""
    lines = [_Line(text, 18, _AMBER, 4) for text in texts]
    words = _column(lines, WIDTH - 2 * _EDGE, language, _BAND)
    band = Image.new("RGB", (WIDTH, words.height + 14), _BAND)
    band.paste(words, (_EDGE, 8))
    return band


def _framed(body: Image.Image) -> Image.Image:
    """Give a text air, and at least the shape of a screen."""
    canvas = Image.new("RGB", (WIDTH, max(body.height + 4 * _EDGE, 560)))
    canvas.paste(body, (_EDGE, 2 * _EDGE))
    return canvas


def _column(
    lines: Iterable[_Line],
    width: int,
    language: Language,
    ground: tuple[int, int, int] = (0, 0, 0),
) -> Image.Image:
    """Set paragraphs under each other, broken where they are too wide."""
    measure = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    placed: list[tuple[int, str, _Line]] = []
    top = 0
    for line in lines:
        for part in _broken(line.text, width, letters(language, line.size), measure):
            placed.append((top, part, line))
            top += round(line.size * 1.3)
        top += line.under
    canvas = Image.new("RGB", (width, max(top, 1)), ground)
    pen = ImageDraw.Draw(canvas)
    for at, text, line in placed:
        pen.text((0, at), text, line.colour, letters(language, line.size))
    return canvas


def _broken(text: str, width: int, shape: Font, pen: ImageDraw.ImageDraw) -> list[str]:
    """Break a text into lines, between words or, where a script has no spaces, letters."""
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line and pen.textlength((line + piece).rstrip(), shape) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]
