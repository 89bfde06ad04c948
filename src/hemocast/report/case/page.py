"""The page of one prediction, for a neurologist with half a minute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from hemocast.files import write_text
from hemocast.report.case.places import places_in_words
from hemocast.report.case.scores import view_scores
from hemocast.report.case.signs import CROP, SignsView, crop_of
from hemocast.report.language import ENGLISH, Language
from hemocast.report.page import render
from hemocast.report.pictures.frames import sides_in_words
from hemocast.report.pictures.sprites import Picture, make_picture
from hemocast.report.words import (
    LABEL_SETS,
    RESEARCH_NOTICE,
    formatted,
    number,
    of_hundred,
    signed,
)
from hemocast.signs.blood import LIMIT
from hemocast.volume import FloatArray, Source, Stack

if TYPE_CHECKING:
    from hemocast.classical.measured import Reason
    from hemocast.classical.scores import Result
    from hemocast.model.prediction import Prediction
    from hemocast.signs.regions import EvidencePlaces

OUTCOME = "any hemorrhagic transformation: new blood within the infarct on a later scan"

ELSEWHERE = (0.05, 0.1, 0.2, 0.4)
"""Prevalences for which the page also gives the risk."""


@dataclass(frozen=True)
class Setting:
    """What a page is told beside the prediction.

    Parameters
    ----------
    base_rate : float or None
        Share of the training patients with the outcome.
    outcome : str
        What was predicted, in words.
    language : Language
        Of the page.
    """

    base_rate: float | None = None
    outcome: str = OUTCOME
    language: Language = ENGLISH


@dataclass(frozen=True)
class CaseView:
    """One prediction in the words and positions of a page.

    Parameters
    ----------
    prediction : Prediction
        What the model answered.
    picture : Picture
        Of its scan.
    setting : Setting
        Of the page.
    places : EvidencePlaces or None
        Where the evidence lies.
    """

    prediction: Prediction
    picture: Picture
    setting: Setting = Setting()
    places: EvidencePlaces | None = None

    @property
    def base_rate(self) -> float | None:
        """Share of the training patients with the outcome."""
        return self.setting.base_rate

    @property
    def outcome(self) -> Markup:
        """What was predicted, in words."""
        return self._language.shown(self.setting.outcome)

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
        return self._language.told(of_hundred(self.prediction.probability))

    @property
    def elsewhere(self) -> list[tuple[float, float]]:
        """The risk at other prevalences than the one assumed; none where that is not known."""
        if not 0 < (self.prediction.prevalence or 0) < 1:
            return []
        return [(share, self.prediction.probability_at(share)) for share in ELSEWHERE]

    @property
    def verdict(self) -> str:
        """On which side of the threshold, and how surely."""
        one, language = self.prediction, self._language
        said = language.percent(one.threshold)
        if said == language.percent(one.probability):
            said = language.say(
                "%(threshold)s (at %(probability)s)",
                threshold=language.exact_percent(one.threshold),
                probability=language.exact_percent(one.probability),
            )
        verdict = (
            language.say("Above the threshold of %(said)s: the model calls HT likely.", said=said)
            if one.positive
            else language.say(
                "Below the threshold of %(said)s: the model does not call HT likely.", said=said
            )
        )
        if self.low < one.threshold <= self.high:
            verdict += language.space + language.say(
                "The calibration curve is not known well enough to be sure of that side."
            )
        return verdict

    @property
    def label_set(self) -> str:
        """Which outcomes stay possible."""
        one = self.prediction
        words = self._language.told(LABEL_SETS[one.label_set])
        return f"{one.label_set_text} {self._language.closed(words)}".strip()

    @property
    def label_set_made(self) -> str:
        """What such sets are made for, and from whom they were learned."""
        if (sets := self.prediction.label_sets) is None:
            return ""
        return self._language.say(
            "Made so that %(level)s of the patients with HT, and %(level)s of those without, get a "
            "set that holds their outcome, if they come from the population below; learned from "
            "%(n_with)s and %(n_without)s patients.",
            level=self._language.percent(sets.level),
            n_with=sets.n_with,
            n_without=sets.n_without,
        )

    @property
    def blood_limit(self) -> str:
        """How much blood the check before the prediction finds."""
        return LIMIT

    @property
    def notice(self) -> Markup:
        """The model's own."""
        return self._language.told_sentence(self.prediction.notice, capital=False)

    @property
    def stamp(self) -> Markup:
        """What stands on every picture."""
        general = self._language.shown(RESEARCH_NOTICE)
        space = self._language.space if self.notice else ""
        return Markup("{}{}{}").format(self.notice, space, general)

    @property
    def scale_label(self) -> str:
        """The scale, for screen readers."""
        one, percent = self.prediction, self._language.percent
        return self._language.say(
            "Probability %(probability)s on a scale from 0 to 100 %%, calibration curve %(low)s to "
            "%(high)s, threshold %(threshold)s",
            probability=percent(one.probability),
            low=percent(self.low),
            high=percent(self.high),
            threshold=percent(one.threshold),
        )

    @property
    def plate_label(self) -> str:
        """The frames, for screen readers."""
        language, picture = self._language, self.picture
        parts = [
            language.say(
                "%(n)s axial frames from below upwards, %(sides)s",
                n=len(picture.tiles),
                sides=language.told(sides_in_words(known=picture.sides_known)),
            )
        ]
        if picture.seen:
            parts.append(
                language.say("most evidence for HT in frame %(number)s", number=picture.first)
            )
        elif picture.mapped:
            parts.append(language.say("no evidence for HT strong enough to show"))
        return language.semicolon.join(parts)

    @property
    def balance(self) -> str:
        """How the heatmap adds up to the risk."""
        one = self.prediction
        if not (one.has_heatmap and 0 < one.probability < 1):
            return ""
        each = one.heatmap[one.stack.brain] * (math.prod(one.stack.spacing) / 1000)
        gain, loss = float(each[each > 0].sum()), float(each[each < 0].sum())
        total = math.log(one.probability / (1 - one.probability))
        return self._language.say(
            "Added up over the brain, the evidence for HT comes to %(gain)s and the evidence "
            "against it to %(loss)s. With %(rest)s from everything else (the model's starting "
            "point, the edges) that makes log-odds of %(total)s: a risk of %(risk)s.",
            gain=signed(gain, 2),
            loss=signed(loss, 2),
            rest=signed(total - gain - loss, 2),
            total=signed(total, 2),
            risk=self._language.percent(one.probability),
        )

    @property
    def evidence_places(self) -> str:
        """Where the evidence lies, and what was measured there."""
        return places_in_words(self.places, self._language) if self.places else ""

    @property
    def _language(self) -> Language:
        return self.setting.language

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
        label = self._language.say(
            "curve from %(left)s to %(right)s, from %(low)s to %(high)s log-odds",
            left=formatted("%g", left),
            right=formatted("%g", x[-1]),
            low=signed(low, 2),
            high=signed(high, 2),
        )
        ends = self._language.say(
            "%(left)s to %(right)s",
            left=formatted("%.3g", left),
            right=formatted("%.3g", x[-1]),
        )
        return Markup(
            '<svg width="120" height="28" viewBox="0 0 120 28" role="img" aria-label="{}">'
            '<polyline points="{}"/>{}</svg> <span class="small soft">{}</span>'
        ).format(label, points, dot, ends)


def write_case_page(
    prediction: Prediction,
    source: Source,
    path: Path,
    *,
    signs: SignsView | None = None,
    hu: FloatArray | None = None,
    places: EvidencePlaces | None = None,
    scores: Sequence[Result] = (),
    setting: Setting = Setting(),
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
    signs : SignsView, optional
        What was measured on the same frames.
    hu : ndarray of float32, shape (28, H, W), optional
        CT numbers of the frames: then the page has a window and a probe.
    places : EvidencePlaces, optional
        In which regions of the brain the evidence lies.
    scores : sequence of Result
        Published scores of the patient.
    setting : Setting
        Base rate, outcome and language.
    """
    seen = signs is not None and bool(signs.mask.any())
    picture = make_picture(
        prediction.stack,
        prediction.heatmap,
        prediction.heatmap_kind,
        signs.mask if signs is not None and seen else None,
        "the acute infarct, as measured",
        hu,
    )
    language = setting.language
    text = render(
        "case.html",
        style="case.css",
        script="viewer.js",
        language=language,
        p=CaseView(prediction, picture, setting, places),
        picture=picture,
        view=signs,
        scores=view_scores(scores, language),
        crops=_crops(signs, picture, prediction.stack),
        reading=_reading(prediction, source, language),
        notes=(
            (language.say("Corrected"), source.corrected),
            (language.say("Accepted, but noted"), _noted(prediction, source)),
            (language.say("Also there, not used"), tuple(map(str, source.left_out))),
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


def _reading(prediction: Prediction, source: Source, language: Language) -> list[tuple[str, str]]:
    """Rows of "How the scan was read": origin, scanner, pose, coverage."""
    say, record = language.say, prediction.stack.record
    kinds = {"dicom": "DICOM series", "nifti": "NIfTI file", "array": "array"}
    kind = language.told(kinds.get(source.kind, source.kind))
    images = say(", %(n)s images", n=source.n_files) if source.n_files > 1 else ""
    rows = [(say("Read from"), kind + images)]
    rows += [
        (language.told(title), language.told(_words(source.facts[key])))
        for key, title in _FACTS.items()
        if key in source.facts
    ]
    pitch, roll, yaw = (number(angle, 1) for angle in record.rotation_degrees)
    turned = say("pitch %(pitch)s°, roll %(roll)s°, yaw %(yaw)s°", pitch=pitch, roll=roll, yaw=yaw)
    frames = say(
        "%(n)s of %(mm)s mm, %(beyond)s beyond the scan",
        n=prediction.stack.frames.shape[0],
        mm=number(prediction.stack.spacing[0], 0),
        beyond=record.frames_padded_top + record.frames_padded_bottom,
    )
    rows += [
        (say("Head turned upright by"), turned),
        (say("Brain volume"), f"{record.brain_ml:.0f} mL"),
        (say("Frames"), frames),
    ]
    if record.brain_cut_mm > 0:
        unseen = say("%(mm)s mm not seen", mm=f"{record.brain_cut_mm:.0f}")
        rows.append((say("Brain below the frames"), unseen))
    return rows


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        numbers = [item for item in value if isinstance(item, int | float)]
        if len(numbers) > 4 and len(numbers) == len(value):
            return f"{_words(min(numbers))} to {_words(max(numbers))}"
        return ", ".join(_words(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
