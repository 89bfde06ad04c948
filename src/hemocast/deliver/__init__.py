"""What a hospital's systems take of one scan's result: DICOM objects, FHIR, HL7.

Identifiers of the patient are copied from the source images into what is made here, letter by
letter, and nowhere else: no log, message or file name holds any.
"""

from hemocast.deliver.headers import read_headers
from hemocast.deliver.objects import make_objects, write_objects
from hemocast.deliver.result import Analysed, Kind, ModelName, Refused, Result

__all__ = [
    "Analysed", "Kind", "ModelName", "Refused", "Result", "make_objects", "read_headers",
    "write_objects",
]  # fmt: skip
