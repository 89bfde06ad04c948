"""Where the evidence of a heatmap lies, and what was measured there, in words."""

from __future__ import annotations

from hemocast.report.language import Language
from hemocast.signs.regions import LEAST, LEAST_ML, EvidencePlaces, Leading, RegionEvidence

_REGIONS = {
    "C": "caudate nucleus",
    "L": "lentiform nucleus",
    "IC": "internal capsule",
    "I": "insula",
}
"""ASPECTS regions that are called otherwise than M1 to M6."""

_TERRITORIES = {
    "MCA": "MCA territory elsewhere",
    "ACA": "ACA territory",
    "PCA": "PCA territory",
    "cerebellar": "cerebellum",
    "pons": "pons",
}
"""What lies outside of the ASPECTS regions."""


def places_in_words(places: EvidencePlaces, language: Language) -> str:
    """Say by hemisphere, territory and region where the evidence lies.

    Parameters
    ----------
    places : EvidencePlaces
        Where sides are not known, it names none.
    language : Language
    """
    told, percent = language.told, language.percent
    shares = [
        (f"{told(side)} ", share) for side, share in places.by_side.items() if side is not None
    ]
    shares += [
        (f"{_of_side(side, language)}{told(territory)} ", share)
        for (side, territory), share in places.by_territory.items()
        if share >= LEAST
    ]
    listed = language.comma.join(f"{where}{percent(share)}" for where, share in shares)
    sentences = [language.say("Evidence for HT by side and territory: %(listed)s", listed=listed)]
    sentences += [_leading(one, language) for one in places.leading]
    return language.space.join(language.sentence(one) for one in sentences)


def _leading(one: Leading, language: Language) -> str:
    """Say which regions of a side hold how much, with what was measured in them."""
    names = [language.told(_name(region)) for region in one.regions]
    said = language.say(
        "%(where)s: %(share)s of the evidence",
        where=_of_side(one.side, language) + language.listed(names),
        share=language.percent(one.share),
    )
    if one.infarct_ml >= LEAST_ML:
        ml = f"{one.infarct_ml:.0f}"
        said += language.semicolon + language.say("hypodensity %(ml)s mL", ml=ml)
        if one.water_uptake is not None:
            uptake = language.percent(one.water_uptake)
            said += language.comma + language.say("net water uptake %(uptake)s", uptake=uptake)
    return said


def _name(region: RegionEvidence) -> str:
    if region.region is None:
        return _TERRITORIES[region.territory]
    return _REGIONS.get(region.region, region.region)


def _of_side(side: str | None, language: Language) -> str:
    return "" if side is None else language.told(side) + language.space
