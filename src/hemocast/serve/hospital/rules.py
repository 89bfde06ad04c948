"""Which studies are analysed, and by what: rules as data, of which the first that fits decides."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dicom.deidentify.words import clean_scanner
from hemocast.dicom.header.inflate import read_dataset
from hemocast.serve.hospital.settings import Rule

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_TAGS = {
    "procedure": (0x00081030, 0x00181030, 0x0008103E), "body_part": (0x00180015,),
    "modality": (0x00080060,), "site": (0x00080080,), "age": (0x00101010,),
}  # fmt: skip
_SCANNER = (0x00080070, 0x00081090)


@dataclass(frozen=True, repr=False)
class Facts:
    """What rules ask of a study. Free text may name a patient: never shown.

    Parameters
    ----------
    procedure, body_part, modality, site : str
        Upper case; several texts are joined by line feeds.
    age : int or None
        Years.
    """

    procedure: str = ""
    body_part: str = ""
    modality: str = ""
    site: str = ""
    age: int | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of a study.

    Parameters
    ----------
    model : str
        Folder of the model; empty: the usual one.
    skip : str
        Why it is not analysed; empty: it is.
    """

    model: str = ""
    skip: str = ""


def decide(rules: Sequence[Rule], facts: Facts) -> Decision:
    """Find the first rule that fits; where none does, the usual model predicts."""
    for rule in rules:
        if _fits(rule, facts):
            return Decision("" if rule.model is None else str(rule.model), rule.skip or "")
    return Decision()


def _fits(rule: Rule, facts: Facts) -> bool:
    return (
        _has(rule.procedure, facts.procedure)
        and _has(rule.body_part, facts.body_part)
        and (not rule.modality or facts.modality in {one.upper() for one in rule.modality})
        and _has(rule.site, facts.site)
        and (rule.age_below is None or (facts.age is not None and facts.age < rule.age_below))
        and (rule.age_from is None or (facts.age is not None and facts.age >= rule.age_from))
    )


def _has(words: Iterable[str], text: str) -> bool:
    words = tuple(words)
    return not words or any(word.upper() in text for word in words)


def facts_of(images: Sequence[Path], senders: Sequence[str] = ()) -> Facts:
    """Read what rules ask from the headers of a study's images.

    Parameters
    ----------
    images : sequence of Path
        One of each series is enough.
    senders : sequence of str
        AE titles that it came from.
    """
    texts: dict[str, list[str]] = {name: [] for name in _TAGS}
    all_tags = [tag for tags in _TAGS.values() for tag in tags]
    for image in images:
        dataset = _header(image, all_tags)
        for name, tags in _TAGS.items():
            texts[name] += [_text(dataset, tag) for tag in tags]
    said = {name: "\n".join(dict.fromkeys(filter(None, each))) for name, each in texts.items()}
    age = re.match(r"(\d{3})([YMWD])", said.pop("age"))
    years = (int(age[1]) if age[2] == "Y" else 0) if age else None
    said["site"] = "\n".join([said["site"], *(one.upper() for one in senders)])
    return Facts(**said, age=years)


def scanner_of(image: Path) -> str:
    """Name the make and model of an image's scanner, in words that are known to name scanners."""
    dataset = _header(image, _SCANNER)
    words = [clean_scanner(_text(dataset, tag)) for tag in _SCANNER]
    return " ".join(filter(None, words))[:80]


def _header(image: Path, tags: Sequence[int]) -> FileDataset:
    wanted = [0x00080005, *tags]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_dataset(image, with_pixels=False, tags=wanted)


def _text(dataset: FileDataset, tag: int) -> str:
    try:
        element = dataset.get(tag)
        return "" if element is None or element.value is None else str(element.value).upper()
    # A value that breaks its own type's rules says nothing to a rule of ours.
    except Exception:
        return ""
