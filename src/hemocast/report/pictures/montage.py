"""One picture of a whole scan: 28 frames with the heatmap, for a message or a slide.

Drawn with Pillow: importing matplotlib alone would cost a third of the time a prediction may take.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hemocast.files import replacing
from hemocast.report.pictures.frames import (
    COLUMNS,
    FLOOR,
    TOP,
    Heat,
    Layers,
    blank,
    colour_table,
    font,
    heights_mm,
    layers_of,
    ramp,
    sides_in_words,
)
from hemocast.report.words import stamp
from hemocast.volume import Stack

if TYPE_CHECKING:
    from hemocast.model.prediction import Prediction

Letters = Callable[[int], ImageFont.FreeTypeFont | ImageFont.ImageFont]

TILE_HEIGHT = 208
_LABEL_H = 18
_HEAD_H = 66
_FOOT_H = 34
_EDGE = 10
_INK = (232, 236, 240)
_DIM = (150, 160, 170)
_AMBER = (255, 190, 60)


def write_montage(prediction: Prediction, path: Path) -> None:
    """Write a PNG of all frames with the evidence for HT laid over them.

    Frames run from inferior (top left) to superior (bottom right), seen from the feet: the
    patient's right is at the left of the picture, unless left and right are not known: then no side
    is named. The overlay is clear where there is little or no evidence, so that the brain under it
    can be judged; what speaks against HT is not shown. The model's notice is burned in.

    Parameters
    ----------
    prediction : Prediction
        What the model answered.
    path : Path
        A ``.png``.

    Raises
    ------
    ValueError
        Heatmap and frames differ in shape.
    """
    image = draw_montage(prediction)
    with replacing(path) as temporary:
        # Level 3 is within 5 % of the default's size in a third of its time.
        image.save(temporary, "PNG", compress_level=3)


def draw_montage(prediction: Prediction) -> Image.Image:
    """Draw what `write_montage` writes."""
    frames, heat = draw_frames(prediction)
    canvas = Image.new("RGB", (frames.width, _HEAD_H + frames.height + _FOOT_H), (0, 0, 0))
    canvas.paste(frames, (0, _HEAD_H))
    pen = ImageDraw.Draw(canvas)
    _head(canvas, pen, heat, prediction)
    _foot(pen, canvas.size, prediction.notice)
    return canvas


def draw_frames(
    prediction: Prediction, told: Callable[[str], str] = str, letters: Letters = font
) -> tuple[Image.Image, Heat]:
    """Draw the frames with their labels alone, for a picture that says the rest in its own words.

    Parameters
    ----------
    prediction : Prediction
        What the model answered.
    told : callable
        Translates what stands in a frame without brain.
    letters : callable
        Gives the font of a size.
    """
    layers = layers_of(prediction.stack, prediction.heatmap)
    tile = (round(layers.width * TILE_HEIGHT / layers.height), TILE_HEIGHT)
    sheet = _overlaid(layers, (tile[0] * COLUMNS, tile[1] * layers.rows))
    height = layers.rows * (tile[1] + _LABEL_H)
    canvas = Image.new("RGB", (sheet.width + 2 * _EDGE, height), (0, 0, 0))
    for row in range(layers.rows):
        band = sheet.crop((0, row * tile[1], sheet.width, (row + 1) * tile[1]))
        canvas.paste(band, (_EDGE, row * (tile[1] + _LABEL_H) + _LABEL_H))
    _label_tiles(ImageDraw.Draw(canvas), prediction.stack, tile, told, letters)
    return canvas, layers.heat


def _overlaid(layers: Layers, size: tuple[int, int]) -> Image.Image:
    """All frames with their overlay, in one picture of this size."""
    picture = layers.scan.resize(size, Image.Resampling.BICUBIC).convert("RGB")
    level = layers.shade.resize(size, Image.Resampling.BILINEAR)
    colours, alpha = colour_table()
    picture.paste(Image.fromarray(colours[np.asarray(level)]), mask=level.point(alpha.tolist()))
    return picture


def _label_tiles(
    pen: ImageDraw.ImageDraw,
    stack: Stack,
    tile: tuple[int, int],
    told: Callable[[str], str],
    letters: Letters,
) -> None:
    reasons = blank(stack)
    for index, height in enumerate(heights_mm(stack)):
        row, column = divmod(index, COLUMNS)
        left = _EDGE + column * tile[0]
        top = row * (tile[1] + _LABEL_H)
        text = f"{index + 1}  ·  {height:.0f} mm"
        pen.text((left + tile[0] / 2, top + 3), text, _DIM, font(12), anchor="ma")
        if index in reasons:
            box = (left + 6, top + _LABEL_H + 4, left + tile[0] - 6, top + _LABEL_H + tile[1] - 6)
            pen.rectangle(box, fill=(16, 18, 21), outline=(60, 66, 72))
            middle = (left + tile[0] / 2, top + _LABEL_H + tile[1] / 2)
            pen.text(middle, told(reasons[index]), _DIM, letters(13), anchor="mm")
            continue
        if stack.record.sides_known:
            pen.text((left + 6, top + 3), "R", _INK, font(12))
            pen.text((left + tile[0] - 6, top + 3), "L", _INK, font(12), anchor="ra")


def _head(
    canvas: Image.Image, pen: ImageDraw.ImageDraw, heat: Heat, prediction: Prediction
) -> None:
    kind = prediction.heatmap_kind
    title = "Hemocast: evidence for hemorrhagic transformation"
    if not prediction.has_heatmap:
        title = "Hemocast: the scan (this model has no heatmap)"
    sides = sides_in_words(known=prediction.stack.record.sides_known)
    pen.text((_EDGE, 10), title, _INK, font(20))
    line = f"Frames from below upwards; height above the lowest frame; {sides}"
    pen.text((_EDGE, 38), line, _DIM, font(13))
    if not prediction.has_heatmap:
        return
    bar_w, bar_h = 220, 12
    left, top = canvas.width - _EDGE - bar_w, 14
    bar = Image.fromarray(np.repeat(ramp()[np.newaxis], bar_h, axis=0)).resize((bar_w, bar_h))
    canvas.paste(bar, (left, top))
    pen.rectangle((left - 1, top - 1, left + bar_w, top + bar_h), outline=(90, 98, 106))
    pen.text((left - 6, top), "0", _DIM, font(12), anchor="ra")
    end = f"{TOP:g} log-odds per cm3, in every scan; highest here: {heat.highest:.3f}"
    if not heat.seen:
        end += f"; none reaches {FLOOR * TOP:g}"
    pen.text((left + bar_w, top + bar_h + 3), end, _DIM, font(12), anchor="ra")
    pen.text((left + bar_w, top + bar_h + 19), kind[:70], _DIM, font(12), anchor="ra")


def _foot(pen: ImageDraw.ImageDraw, size: tuple[int, int], notice: str) -> None:
    width, height = size
    pen.rectangle((0, height - _FOOT_H + 4, width, height), fill=(38, 28, 6))
    text = stamp(notice)
    size_px = 15
    while size_px > 8 and pen.textlength(text, font(size_px)) > width - 2 * _EDGE:
        size_px -= 1
    pen.text((width / 2, height - _FOOT_H / 2 + 2), text, _AMBER, font(size_px), anchor="mm")
