"""A result as coded numbers and answers: what the structured report, FHIR and HL7 all tell."""

from __future__ import annotations

from dataclasses import dataclass

from hemocast.deliver import codes
from hemocast.deliver.codes import Concept
from hemocast.deliver.result import Analysed, Result
from hemocast.signs.estimate import Estimate
from hemocast.signs.infarct import Infarct
from hemocast.signs.measured import OfFrames, Signs


@dataclass(frozen=True)
class Number:
    """A measured number.

    Parameters
    ----------
    concept, unit : Concept
        What it is, in what.
    value : float
    low, high : float or None
        Ends of its 95 % interval.
    """

    concept: Concept
    unit: Concept
    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, concept: Concept, unit: Concept, found: Estimate, times: float = 1) -> Number:
        """Take an estimate, in other units."""
        ends = (round(times * part, 3) for part in (found.value, found.low, found.high))
        return cls(concept, unit, *ends)


@dataclass(frozen=True)
class Answer:
    """A coded answer."""

    concept: Concept
    value: Concept


@dataclass(frozen=True)
class Remark:
    """A text, in English."""

    concept: Concept
    text: str


@dataclass(frozen=True)
class Findings:
    """All that is told of a scan.

    Parameters
    ----------
    risk, infarct, brain : tuple of Number
        Of the prediction; of the acute infarct, empty where none is outlined; of everything else.
    risk_answers, infarct_answers, brain_answers : tuple of Answer
        Likewise.
    remarks : tuple of Remark
        Notice, horizon, population, doubts, and what was not measured.
    """

    risk: tuple[Number, ...]
    infarct: tuple[Number, ...]
    brain: tuple[Number, ...]
    risk_answers: tuple[Answer, ...]
    infarct_answers: tuple[Answer, ...]
    brain_answers: tuple[Answer, ...]
    remarks: tuple[Remark, ...]


def findings_of(result: Result, answer: Analysed) -> Findings:
    """Put a result into codes; a side that is not known is not named.

    Parameters
    ----------
    result : Result
        What is told.
    answer : Analysed
        Its answer.
    """
    one, signs = answer.prediction, answer.signs
    low, high = one.probability_interval
    risk = Number.of(codes.RISK, codes.PERCENT, Estimate(one.probability, low, high), 100)
    threshold = Number(codes.THRESHOLD, codes.PERCENT, round(100 * one.threshold, 3))
    frames = None if signs is None else signs.frames
    infarct = None if frames is None else frames.infarct
    return Findings(
        risk=(risk, threshold),
        infarct=_of_infarct(infarct),
        brain=(*_of_frames(frames), *_of_volume(signs)),
        risk_answers=_about_risk(result, answer),
        infarct_answers=_about_infarct(infarct, sides_known=answer.sides_known),
        brain_answers=(*_about_brain(frames), *_about_artery(signs, answer.sides_known)),
        remarks=_remarks(result, answer),
    )


def _of_infarct(found: Infarct | None) -> tuple[Number, ...]:
    if found is None or not found.seen:
        return ()
    numbers = [Number.of(codes.VOLUME, codes.ML, found.volume_ml)]
    if found.water_uptake is not None:
        numbers.append(Number.of(codes.UPTAKE, codes.PERCENT, found.water_uptake, 100))
    share = round(100 * found.mca_share, 1)
    return (*numbers, Number(codes.MCA_SHARE, codes.PERCENT, share))


def _of_frames(found: OfFrames | None) -> tuple[Number, ...]:
    if found is None:
        return ()
    numbers = []
    if found.aspects is not None:
        numbers.append(Number.of(codes.ASPECTS, codes.ONE, found.aspects.score))
    if found.leukoaraiosis is not None:
        numbers.append(Number.of(codes.GRADE, codes.ONE, found.leukoaraiosis.grade))
    if found.ventricles is not None:
        numbers.append(Number.of(codes.VENTRICLES, codes.ML, found.ventricles.both))
    if found.bicaudate is not None:
        numbers.append(Number.of(codes.BICAUDATE, codes.ONE, found.bicaudate.ratio))
    if found.cavity is not None:
        volume = round(found.cavity.volume_ml, 1)
        numbers.append(Number(codes.OLD_INFARCT, codes.ML, volume))
    return tuple(numbers)


def _of_volume(found: Signs | None) -> tuple[Number, ...]:
    if found is None:
        return ()
    numbers = []
    if found.midline is not None:
        size = Estimate.about(abs(found.midline.shift_mm), found.midline.limits_mm)
        numbers.append(Number.of(codes.MIDLINE, codes.MM, size))
    if found.calcification is not None:
        volume = round(found.calcification.volume_ml, 2)
        numbers.append(Number(codes.CALCIUM, codes.ML, volume))
    if found.bleeding is not None and found.bleeding.pieces:
        numbers.append(Number(codes.BLOOD, codes.ML, round(found.bleeding.volume_ml, 1)))
    return tuple(numbers)


def _about_risk(result: Result, answer: Analysed) -> tuple[Answer, ...]:
    above = Answer(codes.ABOVE, codes.YES if answer.prediction.positive else codes.NO)
    return (above, Answer(codes.SIMULATED, codes.YES)) if result.simulated else (above,)


def _about_infarct(found: Infarct | None, *, sides_known: bool) -> tuple[Answer, ...]:
    if found is None or not found.seen:
        return ()
    answers = [Answer(codes.SEEN, codes.YES)]
    if found.territory is not None:
        answers.append(Answer(codes.TERRITORY, codes.TERRITORIES[found.territory]))
    if found.side is not None and sides_known:
        answers.append(Answer(codes.LATERALITY, codes.SIDES[found.side]))
    return tuple(answers)


def _about_brain(found: OfFrames | None) -> tuple[Answer, ...]:
    if found is None:
        return ()
    answers = [] if found.infarct.seen else [Answer(codes.SEEN, codes.NO)]
    if found.aspects is not None:
        answers += [
            Answer(codes.region_of_aspects(region.name), codes.YES)
            for region in found.aspects.regions
            if region.affected
        ]
    return tuple(answers)


def _about_artery(found: Signs | None, sides_known: bool) -> tuple[Answer, ...]:
    if found is None or found.artery is None or found.artery.dense is None:
        return ()
    if not found.artery.dense:
        return (Answer(codes.ARTERY, codes.NO),)
    dense = Answer(codes.ARTERY, codes.YES)
    side = Answer(codes.ARTERY_SIDE, codes.SIDES[found.artery.denser])
    return (dense, side) if sides_known else (dense,)


def _remarks(result: Result, answer: Analysed) -> tuple[Remark, ...]:
    one, signs = answer.prediction, answer.signs
    remarks = [
        Remark(codes.NOTICE, "Research only, not for clinical use."),
        Remark(codes.NOTICE, result.notice),
        Remark(codes.HORIZON, one.horizon),
        Remark(codes.POPULATION, one.population),
        *(Remark(codes.DOUBT, flag) for flag in one.flags),
    ]
    if signs is not None:
        remarks += [
            Remark(codes.MISSING, f"{name.replace('_', ' ')}: {why}")
            for name, why in signs.missing.items()
        ]
    if result.revision > 1:
        text = f"Revision {result.revision}, replaces what was sent before"
        remarks.append(Remark(codes.REVISION, text))
    return tuple(remark for remark in remarks if remark.text)
