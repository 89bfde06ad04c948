"""The page of one prediction, for a neurologist with half a minute."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from hemocast.files import write_text
from hemocast.report.case.signs import CROP, SignsView, crop_of
from hemocast.report.page import render
from hemocast.report.pictures.frames import sides_in_words
from hemocast.report.pictures.sprites import Picture, make_picture
from hemocast.report.words import (
    LABEL_SETS,
    closed,
    formatted,
    number,
    of_hundred,
    percent,
    signed,
    stamp,
)
from hemocast.signs.blood import LIMIT
from hemocast.volume import Source, Stack

if TYPE_CHECKING:
    from hemocast.classical.measured import Reason
    from hemocast.model.prediction import Prediction

OUTCOME = "any hemorrhagic transformation: new blood within the infarct on a later scan"


@dataclass(frozen=True)
class CaseView:
    """One prediction in the words and positions of a page.

    Parameters
    ----------
    prediction : Prediction
        What the model answered.
    picture : Picture
        Of its scan.
    base_rate : float or None
        Share of the training patients with the outcome.
    outcome : str
        What was predicted, in words.
    """

    prediction: Prediction
    picture: Picture
    base_rate: float | None = None
    outcome: str = OUTCOME

    @property
    def low(self) -> float:
        """Lower end of the interval of the calibration curve."""
        return self.prediction.probability_interval[0]

    @property
    def high(self) -> float:
        """Upper end of the interval of the calibration curve."""
        return self.prediction.probability_interval[1]

    @property
    def of_hundred(self) -> str:
        """The probability as a number of 100 patients."""
        return of_hundred(self.prediction.probability)

    @property
    def verdict(self) -> str:
        """On which side of the threshold, and how surely."""
        return _verdict(self.prediction.probability, self.low, self.high, self.prediction.threshold)

    @property
    def label_set(self) -> str:
        """Which outcomes stay possible."""
        one = self.prediction
        return f"{one.label_set_text} {LABEL_SETS[one.label_set]}.".strip()

    @property
    def label_set_made(self) -> str:
        """What such sets are made for, and from whom they were learned."""
        if (sets := self.prediction.label_sets) is None:
            return ""
        return (
            f"Made so that {percent(sets.level)} of the patients with HT, and {percent(sets.level)}"
            " of those without, get a set that holds their outcome, if they come from the "
            f"population below; learned from {sets.n_with} and {sets.n_without} patients."
        )

    @property
    def blood_limit(self) -> str:
        """How much blood the check before the prediction finds."""
        return LIMIT

    @property
    def notice(self) -> str:
        """The model's own."""
        return closed(self.prediction.notice)

    @property
    def stamp(self) -> str:
        """What stands on every picture."""
        return stamp(self.prediction.notice)

    @property
    def scale_label(self) -> str:
        """The scale, for screen readers."""
        one = self.prediction
        return (
            f"Probability {percent(one.probability)} on a scale from 0 to 100 %, calibration curve "
            f"{percent(self.low)} to {percent(self.high)}, threshold {percent(one.threshold)}"
        )

    @property
    def plate_label(self) -> str:
        """The frames, for screen readers."""
        most = f"; most evidence for HT in frame {self.picture.first}"
        none = "; no evidence for HT strong enough to show" if self.picture.mapped else ""
        return (
            f"{len(self.picture.tiles)} axial frames from below upwards, {self.sides}"
            f"{most if self.picture.seen else none}"
        )

    @property
    def balance(self) -> str:
        """How the heatmap adds up to the risk."""
        one = self.prediction
        if not (one.has_heatmap and 0 < one.probability < 1):
            return ""
        each = one.heatmap[one.stack.brain] * (math.prod(one.stack.spacing) / 1000)
        gain, loss = float(each[each > 0].sum()), float(each[each < 0].sum())
        total = math.log(one.probability / (1 - one.probability))
        rest = total - gain - loss
        return (
            f"Added up over the brain, the evidence for HT comes to {signed(gain, 2)} and the "
            f"evidence against it to {signed(loss, 2)}. With {signed(rest, 2)} from everything "
            f"else (the model's starting point, the edges) that makes log-odds of "
            f"{signed(total, 2)}: a risk of {percent(one.probability)}."
        )

    def reason_bar(self, reason: Reason) -> Markup:
        """Draw one reason: to the right for HT, to the left against, all on one scale."""
        widest = max(abs(one.log_odds) for one in self.prediction.reasons) or 1.0
        width = 60 * abs(reason.log_odds) / widest
        start = 60.0 if reason.log_odds > 0 else 60 - width
        side = "for" if reason.log_odds > 0 else "against"
        return Markup(
            '<svg width="120" height="12" viewBox="0 0 120 12" aria-hidden="true">'
            '<line class="tick" x1="60" x2="60" y1="0" y2="12"/>'
            '<rect class="{}" x="{:.1f}" y="2" width="{:.1f}" height="8"/></svg> {}'
        ).format(side, start, width, signed(round(reason.log_odds, 2) or 0.0, 2))

    @property
    def sides(self) -> str:
        """Where the patient's right is."""
        return sides_in_words(known=self.picture.sides_known)

    def reason_curve(self, reason: Reason) -> Markup:
        """Draw the curve of a number over its usual range, with this patient's place on it."""
        if not reason.curve:
            return Markup("")
        x, y = np.array(reason.curve).T
        low, high = min(y.min(), reason.log_odds), max(y.max(), reason.log_odds)
        left, width = x[0], (x[-1] - x[0]) or 1.0
        across = 4 + 112 * (x - left) / width
        down = 24 - 20 * (y - low) / ((high - low) or 1.0)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
        dot = Markup("")
        if reason.value != "missing":
            at = 4 + 112 * min(max((float(reason.value) - left) / width, 0), 1)
            height = 24 - 20 * (reason.log_odds - low) / ((high - low) or 1.0)
            dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(at, height)
        ends = f"from {signed(low, 2)} to {signed(high, 2)} log-odds"
        label = f"curve from {formatted('%g', left)} to {formatted('%g', x[-1])}, {ends}"
        return Markup(
            '<svg width="120" height="28" viewBox="0 0 120 28" role="img" aria-label="{}">'
            '<polyline points="{}"/>{}</svg> <span class="small soft">{} to {}</span>'
        ).format(label, points, dot, formatted("%.3g", left), formatted("%.3g", x[-1]))


def write_case_page(
    prediction: Prediction,
    source: Source,
    path: Path,
    *,
    base_rate: float | None = None,
    outcome: str = OUTCOME,
    signs: SignsView | None = None,
) -> None:
    """Write one self-contained page: nothing is loaded from a network or another file.

    Parameters
    ----------
    prediction : Prediction
        What the model answered.
    source : Source
        Of the Volume it was made from.
    path : Path
        A ``.html``.
    base_rate : float, optional
        Share of the training patients with the outcome.
    outcome : str
        What was predicted, in words.
    signs : SignsView, optional
        What was measured on the same frames.
    """
    seen = signs is not None and bool(signs.mask.any())
    picture = make_picture(
        prediction.stack,
        prediction.heatmap,
        prediction.heatmap_kind,
        signs.mask if signs is not None and seen else None,
        "the acute infarct, as measured",
    )
    text = render(
        "case.html",
        script="viewer.js",
        p=CaseView(prediction, picture, base_rate, outcome),
        picture=picture,
        view=signs,
        crops=_crops(signs, picture, prediction.stack),
        reading=_reading(prediction, source),
        notes=(
            ("Corrected", source.corrected),
            ("Accepted, but noted", _noted(prediction, source)),
            ("Also there, not used", tuple(map(str, source.left_out))),
        ),
    )
    write_text(path, text)


def _crops(signs: SignsView | None, picture: Picture, stack: Stack) -> list[tuple[int, ...] | None]:
    """Say for each sign where its small picture lies in the sprite, and how wide it is."""
    rows = () if signs is None else signs.rows
    return [
        None if row.place is None else (*crop_of(row.place, picture, stack), 2 * CROP)
        for row in rows
    ]


def _verdict(probability: float, low: float, high: float, threshold: float) -> str:
    side = "Above" if probability >= threshold else "Below"
    called = "calls HT likely" if probability >= threshold else "does not call HT likely"
    sure = (
        " The calibration curve is not known well enough to be sure of that side."
        if low < threshold <= high
        else ""
    )
    said = percent(threshold)
    if said == percent(probability):
        said = f"{100 * threshold:.2f} % (at {100 * probability:.2f} %)"
    return f"{side} the threshold of {said}: the model {called}.{sure}"


def _noted(prediction: Prediction, source: Source) -> tuple[str, ...]:
    """Doubts of reading and preparation that do not stand among the flags already."""
    doubts = dict.fromkeys((*source.doubts, *prediction.stack.record.doubts))
    return tuple(doubt for doubt in doubts if doubt not in prediction.flags)


_FACTS = {
    "manufacturer": "Scanner",
    "model": "Scanner model",
    "kernel": "Kernel",
    "kvp": "Tube voltage, kV",
    "slice_thickness_mm": "Slice thickness, mm",
    "steps_mm": "Steps between slices, mm",
    "tilt_degrees": "Gantry tilt, degrees",
}


def _reading(prediction: Prediction, source: Source) -> list[tuple[str, str]]:
    """Rows of "How the scan was read": origin, scanner, pose, coverage."""
    record = prediction.stack.record
    kinds = {"dicom": "DICOM series", "nifti": "NIfTI file", "array": "array"}
    images = f", {source.n_files} images" if source.n_files > 1 else ""
    rows = [("Read from", kinds.get(source.kind, source.kind) + images)]
    rows += [
        (title, _words(source.facts[key])) for key, title in _FACTS.items() if key in source.facts
    ]
    pitch, roll, yaw = (number(angle, 1) for angle in record.rotation_degrees)
    frames = prediction.stack.frames.shape[0]
    beyond = record.frames_padded_top + record.frames_padded_bottom
    rows += [
        ("Head turned upright by", f"pitch {pitch}°, roll {roll}°, yaw {yaw}°"),
        ("Brain volume", f"{record.brain_ml:.0f} mL"),
        ("Frames", f"{frames} of {prediction.stack.spacing[0]:.0f} mm, {beyond} beyond the scan"),
    ]
    if record.brain_cut_mm > 0:
        rows.append(("Brain below the frames", f"{record.brain_cut_mm:.0f} mm not seen"))
    return rows


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        numbers = [item for item in value if isinstance(item, int | float)]
        if len(numbers) > 4 and len(numbers) == len(value):
            return f"{_words(min(numbers))} to {_words(max(numbers))}"
        return ", ".join(_words(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
