"""The case's page as an encapsulated PDF (PS3.3, A.45.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hemocast.deliver.codes import own
from hemocast.deliver.context import NOTICE, complete
from hemocast.deliver.references import code_item, source_images
from hemocast.deliver.result import Kind, Result

if TYPE_CHECKING:
    from pydicom import Dataset

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_TITLE = own("HT-PAGE", "Page of a prediction, for research")


def make_document(result: Result, pdf: bytes) -> Dataset:
    """Encapsulate the page, which names nobody: BurnedInAnnotation is NO.

    Parameters
    ----------
    result : Result
        What is told.
    pdf : bytes
        The file.
    """
    from pydicom import Dataset

    dataset = Dataset()
    values: dict[str, object] = {
        "SOPClassUID": ENCAPSULATED_PDF,
        "ConversionType": "WSD",
        "BurnedInAnnotation": "NO",
        "RecognizableVisualFeatures": "NO",
        "AcquisitionDateTime": "",
        "DocumentTitle": f"Hemocast: {NOTICE}",
        "VerificationFlag": "UNVERIFIED",
        "ConceptNameCodeSequence": [code_item(_TITLE.value, _TITLE.scheme, _TITLE.meaning)],
        "SourceInstanceSequence": source_images(result.headers),
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocumentLength": len(pdf),
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    complete(dataset, result, Kind.DOCUMENT)
    dataset.add_new("EncapsulatedDocument", "OB", pdf + b"\0" * (len(pdf) % 2))
    return dataset
