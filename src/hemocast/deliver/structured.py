"""The structured report: Comprehensive SR by TID 1500 (PS3.16), with numbers in their regions.

Risk and signs stand in planar groups (TID 1410) whose region is the brain's outline in a slice, the
risk's in that with most evidence: a report without a region is not shown by OHIF. The infarct
stands in a volumetric one (TID 1411), outlined in every slice; its tracking UID is that of the
segment in the segmentation. Images without places get groups of images (TID 1501).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from highdicom import sr
from pydicom import Dataset
from pydicom.sr.codedict import codes as known
from pydicom.sr.coding import Code

from hemocast.deliver import codes
from hemocast.deliver.codes import Concept
from hemocast.deliver.context import (
    MANUFACTURER,
    PRODUCT,
    complete,
    derived_uid,
    device_uid,
    instance_uid,
    plain,
    series_uid,
)  # fmt: skip
from hemocast.deliver.findings import Answer, Findings, Number, Remark, findings_of
from hemocast.deliver.planes import Plane, mask_on_planes, on_planes, outline
from hemocast.deliver.result import Analysed, Kind, Result
from hemocast.deliver.segmentation import TRACKED
from hemocast.deliver.sources import bare, code, declare_scheme, made_by
from hemocast.version import VERSION
from hemocast.volume import BoolArray

COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"


@dataclass(frozen=True, repr=False)
class Places:
    """Where the report's regions lie.

    Parameters
    ----------
    planes : tuple of Plane
        Of the source images; empty where they have no usable places.
    infarct : ndarray of bool, shape (plane, row, column), or None
        On them; None where nothing is outlined.
    """

    planes: tuple[Plane, ...]
    infarct: BoolArray | None = None


def make_report(result: Result, answer: Analysed, places: Places) -> Dataset:
    """Make the structured report.

    Parameters
    ----------
    result : Result
        What is told.
    answer : Analysed
        Its answer.
    places : Places
        Where its regions lie.
    """
    findings = findings_of(result, answer)
    images = bare(result.headers)
    content = sr.MeasurementReport(
        observation_context=_observer(result),
        procedure_reported=code(codes.CT),
        imaging_measurements=_groups(result, answer, findings, places, images),
        title=known.DCM.ImagingMeasurementReport,
    )
    content[0].ContentSequence.append(_remarks(findings.remarks))
    dataset = sr.ComprehensiveSR(
        evidence=images,
        content=content,
        is_complete=True,
        is_final=False,
        **made_by(result, Kind.REPORT),
    )
    complete(dataset, result, Kind.REPORT)
    declare_scheme(dataset)
    if result.revision > 1:
        dataset.PredecessorDocumentsSequence = [_predecessor(result)]
    return dataset


def _groups(
    result: Result, answer: Analysed, findings: Findings, places: Places, images: list[Dataset]
) -> list[Any]:
    regions = _brain_regions(answer, places.planes)
    risk = {
        "tracking_identifier": _tracked(result, "risk"),
        "algorithm_id": _algorithm(result),
        "measurements": _numbers(findings.risk),
        "qualitative_evaluations": _answers(findings.risk_answers),
    }
    groups = [_of_brain(risk, codes.REGION, regions[:1], images)]
    if findings.infarct and places.infarct is not None:
        groups.append(_of_infarct(result, findings, places.planes, places.infarct))
    if findings.brain or findings.brain_answers:
        signs = {
            "tracking_identifier": _tracked(result, "signs"),
            "algorithm_id": sr.AlgorithmIdentification(f"{PRODUCT} signs", VERSION),
            "measurements": _numbers(findings.brain),
            "qualitative_evaluations": _answers(findings.brain_answers),
        }
        groups.append(_of_brain(signs, codes.BRAIN, regions[1:], images))
    return groups


def _of_brain(
    about: dict[str, Any],
    finding: Concept,
    regions: list[tuple[Plane, BoolArray]],
    images: list[Dataset],
) -> Any:
    """Make a group of the whole brain: in its region, else of all images."""
    if not regions:
        return sr.MeasurementsAndQualitativeEvaluations(
            finding_type=code(codes.BRAIN), source_images=_sources(images), **about
        )
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=_region(*regions[0]),
        finding_type=code(finding),
        finding_sites=[_site(codes.BRAIN)],
        **about,
    )


def _brain_regions(answer: Analysed, planes: Sequence[Plane]) -> list[tuple[Plane, BoolArray]]:
    """Return the brain in the slice with most evidence, and in another one with most brain.

    Two slices, since viewers write the numbers of one slice's regions over each other.
    """
    if not planes:
        return []
    one = answer.prediction
    brain = mask_on_planes(one.stack.brain, one.stack.affine, planes)
    evidence = on_planes(np.maximum(one.heatmap, 0), one.stack.affine, planes)
    area = brain.sum(axis=(1, 2))
    weight = (evidence * brain).sum(axis=(1, 2))
    first = int((weight if weight.any() else area).argmax())
    others = np.where(np.arange(len(planes)) == first, 0, area)
    chosen = (first, int(others.argmax()))
    return [(planes[index], brain[index]) for index in chosen if brain[index].any()]


def _of_infarct(
    result: Result, findings: Findings, planes: Sequence[Plane], mask: BoolArray
) -> Any:
    pairs = zip(planes, mask, strict=True)
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracked(result, TRACKED, Kind.INFARCT),
        finding_type=code(codes.CEREBRAL_INFARCTION),
        finding_sites=[_site(codes.BRAIN)],
        algorithm_id=sr.AlgorithmIdentification(f"{PRODUCT} infarct outline", VERSION),
        measurements=_numbers(findings.infarct),
        qualitative_evaluations=_answers(findings.infarct_answers),
        referenced_regions=[_region(plane, held) for plane, held in pairs if held.any()],
    )


def _region(plane: Plane, mask: BoolArray) -> Any:
    header = plane.header
    return sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=outline(mask),
        source_image=sr.SourceImageForRegion(header.SOPClassUID, header.SOPInstanceUID),
    )


def _sources(images: list[Dataset]) -> list[Any]:
    return [
        sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)
        for image in images
    ]


def _numbers(numbers: Iterable[Number]) -> list[Any]:
    """Write numbers, each followed by the ends of its interval under names of their own."""
    items = []
    for number in numbers:
        items.append(_number(number.concept, number.value, number.unit))
        for end, upper in ((number.low, False), (number.high, True)):
            if end is not None:
                items.append(_number(codes.end_of(number.concept, upper=upper), end, number.unit))
    return items


def _number(concept: Concept, value: float, unit: Concept) -> Any:
    return sr.Measurement(name=code(concept), value=value, unit=code(unit))


def _answers(answers: Iterable[Answer]) -> list[Any]:
    return [
        sr.QualitativeEvaluation(name=code(answer.concept), value=code(answer.value))
        for answer in answers
    ]


def _remarks(remarks: Iterable[Remark]) -> Any:
    """Write texts: Qualitative Evaluations of TID 1500, row 12."""
    from highdicom import sr

    contains = sr.RelationshipTypeValues.CONTAINS
    box = sr.ContainerContentItem(
        name=Code("C0034375", "UMLS", "Qualitative Evaluations"), relationship_type=contains
    )
    box.ContentSequence = sr.ContentSequence(
        [
            sr.TextContentItem(
                name=code(remark.concept),
                value=plain(remark.text, 1024),
                relationship_type=contains,
            )
            for remark in remarks
        ]
    )
    return box


def _site(concept: Concept) -> Any:
    return sr.FindingSite(code(concept))


def _tracked(result: Result, what: str, kind: Kind = Kind.REPORT) -> Any:
    return sr.TrackingIdentifier(derived_uid(result, kind, what), what)


def _algorithm(result: Result) -> Any:
    """Name the model, and in its parameters its hash."""
    model = result.model
    return sr.AlgorithmIdentification(
        name=plain(model.name if model else PRODUCT),
        version=plain(model.version if model else VERSION),
        parameters=[f"model {model.hash}"] if model else None,
        family=known.DCM.ArtificialIntelligence,
    )


def _observer(result: Result) -> Any:
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=known.DCM.Device,
            observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
                uid=device_uid(result),
                name=PRODUCT,
                manufacturer_name=MANUFACTURER,
                model_name=plain(result.model.name if result.model else PRODUCT),
            ),
        )
    )


def _predecessor(result: Result) -> Dataset:
    """Refer to the report that this one replaces (PS3.3, C.17.2)."""
    document = Dataset()
    document.ReferencedSOPClassUID = COMPREHENSIVE_SR
    document.ReferencedSOPInstanceUID = instance_uid(result, Kind.REPORT, result.revision - 1)
    series = Dataset()
    series.SeriesInstanceUID = series_uid(result, Kind.REPORT)
    series.ReferencedSOPSequence = [document]
    study = Dataset()
    study.StudyInstanceUID = result.first.StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    return study
