"""Identifiers of every kind go in; clean files come out, and none of the identifiers."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import io
import logging
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from hemocast import dicom
from hemocast.dataset import participant_id
from hemocast.dataset.ingest.run import ingest
from hemocast.dataset.ingest.workers import Workers
from hemocast.dataset.pseudonym import date_shift
from hemocast.dicom.deidentify.export import Exported, Keyed, deidentify
from hemocast.dicom.files.write import make_uid
from hemocast.errors import (
    MalformedFile,
    NotDicom,
    NothingThere,
    OutputExists,
    UsageError,
)

KEY, OTHER = b"k" * 32, b"o" * 32
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def keyed(key: bytes = KEY) -> Keyed:
    return Keyed(
        key, lambda patient: participant_id(key, patient), lambda patient: date_shift(key, patient)
    )


# Every kind of identifier: its name, and the text to look for afterwards.
SECRETS = {
    "family name": "Zquimby", "given name": "Aurelia", "middle name": "Midnamix",
    "name prefix": "Drprefx", "name suffix": "Jrsuffx", "name, ideographic": "山田太郎",
    "name, phonetic": "やまだたろう", "name, Korean": "김희중", "name, Chinese": "王小东",
    "name, Cyrillic": "Люксембург", "name, Arabic": "قباني", "name, Latin-1": "Müßiggård",
    "patient id": "MRN-88123777", "other patient id": "OTH-55123", "issuer": "ISSUER-HOSP",
    "birth date": "19310204", "birth time": "071355", "birth name": "Maidenx", "mother": "Motherx",
    "address": "17 Plantedroad", "phone": "+49-5550-1234", "insurance": "INSUR-4711",
    "military rank": "Rankmajorx", "occupation": "Occupatlocksmith", "religion": "Religionx",
    "patient comments": "Commentpatientx", "ethnic group": "Ethnicx", "weight": "83.271",
    "accession number": "ACC-900123", "study id": "STUDYID-31", "admission id": "ADM-7712",
    "referring physician": "Referrerx", "performing physician": "Performerx",
    "operator": "Operatorx", "requesting physician": "Requesterx", "reader": "Readerx",
    "institution": "Institutex", "institution address": "Instroad", "department": "Departmentx",
    "station": "STATIONX7", "device serial": "SERIAL-66123", "device uid": "1.2.3.777.1",
    "software": "SOFTX9.1", "study description": "Describestudyx", "series": "Describeseriesx",
    "protocol": "Protocolx", "image comments": "Commentimagex", "derivation": "Derivationx",
    "requested procedure": "Procedurex", "private creator": "PRIVCREATORX",
    "private value": "Privatevaluex", "private in a sequence": "Privnestedx",
    "nested 3 deep": "Nestedthreex", "in a kept sequence": "Inkeptitemx",
    "referenced uid": "1.2.3.888.42", "study uid": "1.2.3.999.1", "series uid": "1.2.3.999.2",
    "sop uid": "1.2.3.999.3", "frame of reference uid": "1.2.3.999.4", "event uid": "1.2.3.999.5",
    "source AE title": "SRCAETITLEX", "sending AE title": "SENDAETITLEX",
    "private information": "Metaprivatex", "preamble": "Preamblex", "overlay data": "Overlaydatax",
    "overlay text": "Overlaytextx", "curve": "Curvedatax", "icon": "Iconpixelsx",
    "bytes after the pixels": "Trailpixelx", "trailing padding": "Trailpaddingx",
    "bytes after the dataset": "Trailfilex", "retired text": "Arbitraryx", "UN element": "Unvaluex",
    "unknown element": "Unknowntagx", "in a coded value": "CODEDX", "in an image type": "IMTYPEX",
    "in a kernel": "KERNELX", "in a make": "MAKERX", "in a model": "MODELX",
    "in a number": "Numberx", "file name": "Zqfilename",
    "folder name": "Zqfolder", "study date": "20210309", "series date": "20210310",
    "acquisition date": "20210311", "creation date": "20210312", "date-time": "20210313",
    "scheduled date": "20210314", "date, old form": "2021.03.15", "time zone": "+0345",
    "DICOMDIR": "Dicomdirx", "document": "Documentx", "structured report": "Reportx",
    "burned-in image": "Burnedx", "text file": "Textfilex", "clinical trial": "Trialsitex",
    "digital signature": "Signaturex", "url": "http://urlx.example", "curator": "Curatorx",
}  # fmt: skip


def encodings(secret: str) -> Iterator[bytes]:
    """Every form in which a text may lie in a file."""
    names = ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "iso2022_jp", "shift_jis", "euc_kr",
             "gb18030", "iso8859_5", "iso8859_6", "koi8_r", "cp1251")  # fmt: skip
    for text in {secret, secret.upper(), secret.lower()}:
        for name in names:
            try:
                raw = text.encode(name)
            except UnicodeEncodeError:
                continue
            yield raw
            if name in ("utf-8", "latin-1"):
                yield raw.hex().encode()
                for lead in range(3):
                    # Base 64 of a text depends on where in three bytes it begins.
                    coded = base64.b64encode(b"\0" * lead + raw)
                    yield coded[-(-lead * 4 // 3) : len(coded) // 4 * 4 - 4]


FORMS = {kind: tuple(set(encodings(secret))) for kind, secret in SECRETS.items()}


def told(data: bytes) -> list[str]:
    """Which kinds of identifier some bytes give away."""
    return [kind for kind, forms in FORMS.items() if any(form in data for form in forms)]


def told_by(folder: Path) -> dict[str, list[str]]:
    found = {}
    for path in folder.rglob("*"):
        data = str(path.relative_to(folder)).encode()
        if path.is_file():
            content = path.read_bytes()
            data += content
            if path.suffix == ".gz":
                data += gzip.decompress(content)
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as opened:
                    data += b"".join(opened.read(name) for name in opened.namelist())
        if kinds := told(data):
            found[str(path.relative_to(folder))] = kinds
    return found


def item(**fields: Any) -> Dataset:
    made = Dataset()
    for keyword, value in fields.items():
        setattr(made, keyword, value)
    return made


def plant(ds: Dataset, index: int) -> None:
    """Put every identifier that a header can hold into it."""
    s = SECRETS
    names = {
        "ISO_IR 192": "Zquimby^Aurelia^Midnamix^Drprefx^Jrsuffx=山田太郎^Aurelia=やまだたろう",
        "ISO_IR 100": "Müßiggård^Aurelia",
        "ISO_IR 144": "Люксембург^Aurelia",
        "ISO_IR 127": "قباني^Aurelia",
        "ISO 2022 IR 149": "Zquimby^Aurelia=김희중",
        "ISO 2022 IR 87": "Zquimby^Aurelia=山田太郎=やまだたろう",
        "GB18030": "王小东^Aurelia",
    }
    charset = list(names)[index % len(names)]
    ds.SpecificCharacterSet = ["", charset] if "2022" in charset else charset
    ds.PatientName = names[charset]
    texts = {
        "OtherPatientNames": "Zquimby^Aurelia", "OtherPatientIDs": s["other patient id"],
        "IssuerOfPatientID": s["issuer"], "PatientBirthDate": s["birth date"],
        "PatientBirthTime": s["birth time"], "PatientBirthName": s["birth name"],
        "PatientMotherBirthName": s["mother"], "PatientAddress": s["address"],
        "PatientTelephoneNumbers": s["phone"], "InsurancePlanIdentification": s["insurance"],
        "MilitaryRank": s["military rank"], "Occupation": s["occupation"],
        "PatientReligiousPreference": s["religion"], "PatientComments": s["patient comments"],
        "EthnicGroup": s["ethnic group"], "PatientWeight": s["weight"], "PatientAge": "094Y",
        "PatientSex": "F", "AccessionNumber": s["accession number"], "StudyID": s["study id"],
        "AdmissionID": s["admission id"], "ReferringPhysicianName": s["referring physician"],
        "PerformingPhysicianName": s["performing physician"], "OperatorsName": s["operator"],
        "RequestingPhysician": s["requesting physician"],
        "NameOfPhysiciansReadingStudy": s["reader"], "InstitutionName": s["institution"],
        "InstitutionAddress": s["institution address"],
        "InstitutionalDepartmentName": s["department"], "StationName": s["station"],
        "DeviceSerialNumber": s["device serial"], "DeviceUID": s["device uid"],
        "SoftwareVersions": s["software"],
        "StudyDescription": f"CT HEAD {s['study description']} WITHOUT CONTRAST",
        "SeriesDescription": f"HEAD 5MM {s['series']} (Zquimby, Aurelia)",
        "ProtocolName": f"{s['protocol']} STROKE", "ImageComments": s["image comments"],
        "DerivationDescription": s["derivation"],
        "RequestedProcedureDescription": s["requested procedure"],
        "FrameOfReferenceUID": s["frame of reference uid"],
        "IrradiationEventUID": s["event uid"], "TextComments": s["retired text"],
        "ScanOptions": s["in a coded value"], "SliceLocation": "12.5",
        "TimezoneOffsetFromUTC": s["time zone"], "StudyDate": s["study date"],
        "SeriesDate": s["series date"], "AcquisitionDate": s["acquisition date"],
        "InstanceCreationDate": s["creation date"],
        "AcquisitionDateTime": s["date-time"] + "131415.250000+0345", "StudyTime": "131415.25",
        "ScheduledProcedureStepStartDate": s["scheduled date"],
        "ClinicalTrialSiteName": s["clinical trial"], "RetrieveURL": s["url"],
        "ResponsiblePerson": s["curator"],
    }  # fmt: skip
    for keyword, value in texts.items():
        setattr(ds, keyword, value)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", s["in an image type"]]
    ds.ConvolutionKernel = s["in a kernel"]
    ds.Manufacturer, ds.ManufacturerModelName = s["in a make"], f"LightSpeed {s['in a model']}"
    number = s["in a number"].encode() + b" "
    ds[0x00181130] = RawDataElement(Tag(0x00181130), "DS", len(number), number, 0, False, True)
    ds[0x00080023] = DataElement(0x00080023, "DA", s["date, old form"], validation_mode=0)
    ds.add_new(0x00081080, "UN", s["UN element"].encode())
    ds.add_new(0x00101001, "UN", s["UN element"].encode())
    ds.add_new(0x0018FFF0, "UN", s["unknown element"].encode())
    ds.private_block(0x0019, s["private creator"], create=True).add_new(1, "LO", s["private value"])
    plant_sequences(ds)
    plant_binary(ds)


def plant_sequences(ds: Dataset) -> None:
    s = SECRETS
    deep = item(RequestedProcedureDescription=s["nested 3 deep"], PatientName="Zquimby^Aurelia")
    two = item(RequestAttributesSequence=[deep])
    ds.RequestAttributesSequence = [item(RequestAttributesSequence=[two], PatientID="MRN-88123777")]
    referenced = item(
        ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2",
        ReferencedSOPInstanceUID=s["referenced uid"],
        PatientName="Zquimby^Aurelia",
        StudyDescription=s["in a kept sequence"],
    )
    referenced.PurposeOfReferenceCodeSequence = [
        item(CodeMeaning=s["in a kept sequence"], ReferencedImageSequence=[deep])
    ]
    referenced.private_block(0x0021, s["private creator"], create=True).add_new(
        2, "SQ", Sequence([item(PatientComments=s["private in a sequence"])])
    )
    ds.ReferencedImageSequence = [referenced]
    ds.DigitalSignaturesSequence = [item(CertificateOfSigner=s["digital signature"].encode())]
    ds.IconImageSequence = [item(Rows=4, Columns=4, BitsAllocated=8, PixelData=b"Iconpixelsx!")]
    ds.ContentSequence = [item(TextValue=s["structured report"])]


def plant_binary(ds: Dataset) -> None:
    s = SECRETS
    for tag, vr, value in (
        (0x60000010, "US", 16), (0x60000011, "US", 16), (0x60000100, "US", 1),
        (0x60000102, "US", 0), (0x60003000, "OW", s["overlay data"].encode().ljust(32, b"\0")),
        (0x60000022, "LO", s["overlay text"]), (0x60001500, "LO", s["overlay text"]),
        (0x50003000, "OW", s["curve"].encode()), (0x50000030, "SH", s["curve"]),
        (0x00420011, "OB", s["document"].encode() + b"\0"),
        (0xFFFCFFFC, "OB", s["trailing padding"].encode() + b"\0"),
    ):  # fmt: skip
        ds.add_new(tag, vr, value)
    ds.PixelData = ds.PixelData + s["bytes after the pixels"].encode() + b"\0"


@pytest.fixture
def planted(tmp_path: Path, write: Callable[..., list[Path]], scan: Any) -> Path:
    """A folder with one series that holds every identifier, and all that lies beside it."""
    s = SECRETS
    folder = tmp_path / "in" / f"{s['folder name']}_Aurelia"
    acquisition = scan(heights=tuple(np.arange(-90.0, 91.0, 15.0)), size=48, pixel=4.5, brain=True)
    series = acquisition.with_header(
        patient_id=s["patient id"], study_uid=s["study uid"], series_uid=s["series uid"],
        acquired=datetime(2021, 3, 9, 13, 14, 15),
    )  # fmt: skip
    for index, path in enumerate(write(series, folder)):
        ds = pydicom.dcmread(path)
        plant(ds, index)
        ds.SOPInstanceUID = f"{s['sop uid']}.{index}"
        meta = ds.file_meta
        meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        meta.SourceApplicationEntityTitle = s["source AE title"]
        meta.SendingApplicationEntityTitle = s["sending AE title"]
        meta.PrivateInformationCreatorUID = s["device uid"]
        meta.PrivateInformation = s["private information"].encode()
        ds.preamble = s["preamble"].encode().ljust(128, b"\0")
        path.unlink()
        target = folder / f"{s['file name']}_{s['patient id']}_{index}.dcm"
        ds.save_as(target, enforce_file_format=True)
        with target.open("ab") as file:
            file.write(b"\xfc\xff\xfc\xffOB\0\0\x0c\0\0\0Trailfilex\0\0")
    beside(folder, ds)
    return tmp_path / "in"


def beside(folder: Path, ds: Dataset) -> None:
    """Write what must not come along: captures, reports, documents, a DICOMDIR, notes."""
    s = SECRETS
    ds.SeriesInstanceUID = make_uid("beside")
    changes: dict[str, dict[str, Any]] = {
        "flag": {"BurnedInAnnotation": "YES", "PatientComments": s["burned-in image"]},
        "capture": {"SOPClassUID": SECONDARY_CAPTURE, "Modality": "OT"},
        "localizer": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        "screen": {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        "mr": {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"},
        "report": {"Modality": "SR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11"},
        "pdf": {"Modality": "DOC", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"},
    }
    for number, (name, fields) in enumerate(changes.items()):
        other = pydicom.dcmread(io.BytesIO(_bytes(ds)))
        for keyword, value in fields.items():
            setattr(other, keyword, value)
        other.SOPInstanceUID = f"{s['sop uid']}.77.{number}"
        other.save_as(folder / f"{s['file name']}-{name}")
    directory = item(
        SOPClassUID="1.2.840.10008.1.3.10", SOPInstanceUID="1.2.3.999.6",
        DirectoryRecordSequence=[item(PatientName=s["DICOMDIR"], PatientID=s["patient id"])],
    )  # fmt: skip
    directory.file_meta = pydicom.dataset.FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    (folder / f"{s['file name']}.txt").write_text(s["text file"])


def _bytes(ds: Dataset) -> bytes:
    buffer = io.BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


def clean_files(folder: Path) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]


def test_more_than_forty_kinds_are_planted_and_the_search_finds_them(planted: Path) -> None:
    assert len(SECRETS) > 40
    found = {kind for kinds in told_by(planted).values() for kind in kinds}
    assert found == set(SECRETS)


@pytest.mark.parametrize("packed", [False, True])
def test_no_identifier_comes_through_anywhere(
    planted: Path,
    packed: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    source = planted
    if packed:
        source = tmp_path / "Zqfolder.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in planted.rglob("*"):
                archive.write(path, path.relative_to(planted))
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        report = deidentify([source], tmp_path / "out", keyed())
    assert told_by(tmp_path / "out") == {}
    assert told("\n".join(str(w.message) for w in warned).encode()) == []
    assert told(caplog.text.encode()) == []
    assert told("".join(capfd.readouterr()).encode()) == []
    assert told(repr(report).encode()) == []
    assert report.written == 13
    assert report.other_files == 2
    counts: Counter[str] = Counter()
    for entry in report.left_behind:
        counts[entry.error.code] += entry.files
    assert counts == {"HC103": 3, "HC305": 4}


def test_what_a_clean_file_says(planted: Path, tmp_path: Path) -> None:
    deidentify([planted], tmp_path / "out", keyed())
    ds = clean_files(tmp_path / "out")[0]
    pseudonym = participant_id(KEY, SECRETS["patient id"])
    assert ds.PatientID == ds.PatientName == pseudonym
    assert (tmp_path / "out" / pseudonym).is_dir()
    assert (ds.PatientSex, ds.PatientAge, ds.PatientBirthDate) == ("F", "090Y", "")
    assert ds.AccessionNumber == ds.StudyID == ds.ReferringPhysicianName == ""
    assert ds.PatientIdentityRemoved == "YES"
    assert ds.DeidentificationMethod.startswith("Hemocast")
    codes = [code.CodeValue for code in ds.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108"]
    assert ds.LongitudinalTemporalInformationModified == "MODIFIED"
    assert ds.RecognizableVisualFeatures == "YES"
    assert ds.StudyDescription == "CT HEAD _ WITHOUT CONTRAST"
    assert ds.SeriesDescription == "HEAD 5MM"
    shift = date_shift(KEY, SECRETS["patient id"])
    assert ds.StudyDate == f"{date(2021, 3, 9) - shift:%Y%m%d}"
    assert ds.AcquisitionDateTime == f"{date(2021, 3, 13) - shift:%Y%m%d}131415.250000"
    assert ds.StudyTime == "131415.25"
    assert not any(element.tag.is_private for element in ds.iterall())
    assert not any(element.VR == "UN" for element in ds.iterall())
    assert ds.preamble == b"\0" * 128
    assert set(ds.file_meta.keys()) <= {0x00020000 + n for n in (0, 1, 2, 3, 0x10, 0x12, 0x13)}


def test_references_go_on_working(planted: Path, tmp_path: Path) -> None:
    deidentify([planted], tmp_path / "out", keyed())
    files = clean_files(tmp_path / "out")
    assert len({ds.SOPInstanceUID for ds in files}) == 13
    assert len({(ds.StudyInstanceUID, ds.SeriesInstanceUID) for ds in files}) == 1
    for ds in files:
        (reference,) = ds.ReferencedImageSequence
        assert reference.ReferencedSOPInstanceUID == keyed().uid(SECRETS["referenced uid"])
        assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
        assert len(reference) == 2
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert pydicom.uid.UID(ds.SOPInstanceUID).is_valid


def test_the_scan_reads_as_before(planted: Path, tmp_path: Path) -> None:
    deidentify([planted], tmp_path / "out", keyed())
    # Beside the series lie others, which the reader leaves out.
    before, after = dicom.read(planted), dicom.read(tmp_path / "out")
    assert np.array_equal(before.hu, after.hu)
    assert np.array_equal(before.affine, after.affine)
    assert before.source.corrected == after.source.corrected


@pytest.mark.parametrize("name", ["ge_head_tilted", "phantom_tilt_plus16"])
def test_a_real_scan_reads_as_before(
    name: str, unpack: Callable[[str], Path], tmp_path: Path
) -> None:
    source = unpack(name)
    report = deidentify([source], tmp_path / "out", keyed())
    assert report.written in (28, 58)
    before, after = dicom.read(source), dicom.read(tmp_path / "out")
    assert np.array_equal(before.hu, after.hu)
    assert np.array_equal(before.affine, after.affine)


def test_real_localizers_and_summaries_are_left_behind(
    unpack: Callable[[str], Path], tmp_path: Path
) -> None:
    report = deidentify([unpack("phantom_localizer_summary")], tmp_path / "out", keyed())
    assert report.written == 0
    assert {entry.error.code for entry in report.left_behind} == {"HC305"}
    assert list(tmp_path.rglob("*.dcm")) == []


SYNTAXES = {
    "implicit": "1.2.840.10008.1.2", "big endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99", "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90", "RLE": "1.2.840.10008.1.2.5",
}  # fmt: skip


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_keeps_its_pixels(
    syntax: str, write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    write(scan(size=40, pixel=5.0, syntax=SYNTAXES[syntax]), tmp_path / "in")
    report = deidentify([tmp_path / "in"], tmp_path / "out", keyed())
    assert report.written == 37
    first = clean_files(tmp_path / "out")[0]
    assert first.file_meta.TransferSyntaxUID == SYNTAXES[syntax]
    before, after = dicom.read(tmp_path / "in"), dicom.read(tmp_path / "out")
    assert np.array_equal(before.hu, after.hu)
    assert np.array_equal(before.affine, after.affine)


def test_a_multi_frame_file_keeps_its_frames_and_no_words_in_them(
    write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    """Pack a series into one Enhanced CT file, with a name in every frame's functional groups."""
    sets = [pydicom.dcmread(path) for path in write(scan(size=40, pixel=5.0), tmp_path / "single")]
    out = pydicom.dcmread(tmp_path / "single" / "IM000")
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    groups = []
    for ds in sets:
        content = item(FrameComments="Zquimby", FrameAcquisitionDateTime="20210313131415")
        group = item(FrameContentSequence=[content])
        for macro, keywords in (
            ("PlanePositionSequence", ["ImagePositionPatient"]),
            ("PlaneOrientationSequence", ["ImageOrientationPatient"]),
            ("PixelMeasuresSequence", ["PixelSpacing", "SliceThickness"]),
            ("PixelValueTransformationSequence", ["RescaleSlope", "RescaleIntercept"]),
        ):
            setattr(group, macro, [item(**{k: ds[k].value for k in keywords})])
        groups.append(group)
    out.PerFrameFunctionalGroupsSequence = groups
    out.NumberOfFrames = len(sets)
    out.PixelData = b"".join(ds.PixelData for ds in sets)
    (tmp_path / "multi").mkdir()
    out.save_as(tmp_path / "multi" / "one")
    assert deidentify([tmp_path / "multi"], tmp_path / "out", keyed()).written == 1
    assert told_by(tmp_path / "out") == {}
    before, after = dicom.read(tmp_path / "multi"), dicom.read(tmp_path / "out")
    assert np.array_equal(before.hu, after.hu)
    assert np.array_equal(before.affine, after.affine)


def two_studies(write: Callable[..., list[Path]], scan: Any, folder: Path) -> None:
    small = scan(size=16, heights=(0.0, 5.0))
    for name, when in (("a", datetime(2020, 2, 28, 23, 50)), ("b", datetime(2020, 3, 1, 0, 20, 7))):
        one = scan(size=16, heights=(0.0, 5.0), study=name).with_header(acquired=when)
        write(one, folder / name)
    write(small.with_header(patient_id="SOMEBODY-ELSE", acquired=when), folder / "c")


def described(folder: Path) -> dict[str, set[str]]:
    files = clean_files(folder)
    keywords = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDate")
    return {keyword: {str(ds[keyword].value) for ds in files} for keyword in keywords}


def test_the_same_key_gives_the_same_and_another_key_gives_others(
    write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    two_studies(write, scan, tmp_path / "in")
    for name, key in (("one", KEY), ("again", KEY), ("other", OTHER)):
        deidentify([tmp_path / "in"], tmp_path / name, keyed(key))
    one, again, other = (described(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert len(one["PatientID"]) == 2
    for keyword, values in one.items():
        assert not values & other[keyword], keyword


def test_intervals_between_studies_stay(
    write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    two_studies(write, scan, tmp_path / "in")
    deidentify([tmp_path / "in"], tmp_path / "out", keyed())
    mine = participant_id(KEY, "PID-77")
    times = sorted(
        {
            datetime.strptime(f"{ds.StudyDate}{ds.StudyTime}", "%Y%m%d%H%M%S")
            for ds in clean_files(tmp_path / "out" / mine)
        }
    )
    assert times[1] - times[0] == timedelta(days=1, minutes=30, seconds=7)
    assert times[1].year < 1925


def test_a_second_run_finds_all_there(
    write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    two_studies(write, scan, tmp_path / "in")
    first = deidentify([tmp_path / "in"], tmp_path / "out", keyed())
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm")}
    second = deidentify([tmp_path / "in"], tmp_path / "out", keyed(), workers=2)
    assert (first.written, second.written, second.already_there) == (6, 0, 6)
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm")} == before


def test_a_run_that_was_killed_ends_the_same(
    write: Callable[..., list[Path]], scan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_studies(write, scan, tmp_path / "in")
    deidentify([tmp_path / "in"], tmp_path / "whole", keyed())
    real, calls = Path.write_bytes, []

    def die(path: Path, content: bytes) -> int:
        calls.append(path)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", die)
    with pytest.raises(KeyboardInterrupt):
        deidentify([tmp_path / "in"], tmp_path / "broken", keyed())
    monkeypatch.setattr(Path, "write_bytes", real)
    deidentify([tmp_path / "in"], tmp_path / "broken", keyed())

    def contents(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def _export(folder: Path, out: Path) -> Exported:
    return deidentify([folder], out, keyed())


def test_a_damaged_file_costs_its_series_and_no_other(
    write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    two_studies(write, scan, tmp_path / "in")
    victim = next((tmp_path / "in" / "a").iterdir())
    victim.write_bytes(victim.read_bytes()[:-100])
    report = _export(tmp_path / "in", tmp_path / "out")
    assert report.written == 4
    (entry,) = report.left_behind
    assert (entry.error.code, entry.files) == ("HC104", 2)


def test_two_images_under_one_uid_are_refused_and_copies_are_not(
    write: Callable[..., list[Path]], scan: Any, edit: Callable[..., None], tmp_path: Path
) -> None:
    paths = write(scan(size=16, heights=(0.0, 5.0)), tmp_path / "in")
    (tmp_path / "in" / "copy").write_bytes(paths[0].read_bytes())
    assert _export(tmp_path / "in", tmp_path / "out").written == 2
    edit(tmp_path / "in" / "copy", InstanceNumber=9)
    (entry,) = _export(tmp_path / "in", tmp_path / "out2").left_behind
    assert isinstance(entry.error, MalformedFile)


def test_a_series_that_changed_is_not_written_over(
    write: Callable[..., list[Path]], scan: Any, edit: Callable[..., None], tmp_path: Path
) -> None:
    paths = write(scan(size=16, heights=(0.0, 5.0)), tmp_path / "in")
    _export(tmp_path / "in", tmp_path / "out")
    edit(paths[0], WindowCenter="55")
    (entry,) = _export(tmp_path / "in", tmp_path / "out").left_behind
    assert isinstance(entry.error, OutputExists)


def test_places_that_cannot_be_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(NothingThere):
        _export(tmp_path / "in", tmp_path / "out")
    with pytest.raises(UsageError):
        _export(tmp_path / "in", tmp_path / "in" / "out")
    with pytest.raises(UsageError):
        _export(tmp_path / "in", tmp_path)
    (tmp_path / "in" / "note").write_text("nothing")
    with pytest.raises(NotDicom):
        _export(tmp_path / "in", tmp_path / "out")


def test_files_that_do_not_say_whose_they_are_stay_apart_by_study(
    write: Callable[..., list[Path]], scan: Any, edit: Callable[..., None], tmp_path: Path
) -> None:
    for study in ("one", "two"):
        plain = scan(size=16, heights=(0.0, 5.0), study=study)
        write(plain.with_header(patient_id="", patient_name=""), tmp_path / "in" / study)
    _export(tmp_path / "in", tmp_path / "out")
    assert len(list((tmp_path / "out").glob("sub-*"))) == 2


def test_hostile_bytes_are_refused_or_cleaned_but_never_crash(
    planted: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(4)
    original = next(planted.rglob("*_0.dcm")).read_bytes()
    (tmp_path / "fuzz").mkdir()
    for index in range(120):
        data = bytearray(original)
        for _ in range(rng.integers(1, 12)):
            data[rng.integers(128, 4000)] = rng.integers(256)
        (tmp_path / "fuzz" / f"{index}").write_bytes(data[: rng.integers(600, len(data) + 1)])
    report = _export(tmp_path / "fuzz", tmp_path / "out")
    assert all(entry.error.code.startswith("HC") for entry in report.left_behind)
    text = {kind for kinds in told_by(tmp_path / "out").values() for kind in kinds}
    assert text == set()
    assert told("".join(capfd.readouterr()).encode()) == []


def more_of(planted: Path, folder: Path) -> Path:
    """Two more studies of the same patient, the second with a gap: read by other processes."""
    series = sorted(planted.rglob("*_[0-9]*.dcm"))
    for study in ("1", "2"):
        (folder / study).mkdir(parents=True)
        for index, path in enumerate(series):
            if study == "2" and index == 6:
                continue
            ds = pydicom.dcmread(path)
            ds.StudyInstanceUID = f"{SECRETS['study uid']}.{study}"
            ds.save_as(folder / study / path.name)
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_a_dataset_ingested_from_it_names_nobody(
    workers: int,
    planted: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    again = more_of(planted, tmp_path / "Zqfolder more")
    labels = tmp_path / "labels.csv"
    labels.write_text(f"patient_id,label\n{SECRETS['patient id']},1\n")
    caplog.clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        report = ingest(
            [planted, again], tmp_path / "dataset", KEY, labels=labels, workers=Workers(workers)
        )
    assert (report.added, [item.code for item in report.refused]) == (2, ["HC203"])
    assert told_by(tmp_path / "dataset") == {}
    assert told("\n".join(str(w.message) for w in warned).encode()) == []
    assert told(caplog.text.encode()) == []
    assert told("".join(capfd.readouterr()).encode()) == []
    assert told(repr(report).encode()) == []


def test_uids_are_an_hmac_and_the_standards_own_stay() -> None:
    digest = hmac.new(KEY, b"uid:1.2.3", hashlib.sha256).digest()
    assert keyed().uid("1.2.3 ") == f"2.25.{int.from_bytes(digest[:16], 'big')}"
    assert keyed().uid("1.2.840.10008.5.1.4.1.1.2") == "1.2.840.10008.5.1.4.1.1.2"
    assert keyed().uid("1.2.840.10008.77.4711").startswith("2.25.")


@pytest.mark.parametrize("target", ["gone", "/proc/self/mem"])
def test_a_file_that_cannot_be_read_is_not_absent_in_silence(
    target: str, write: Callable[..., list[Path]], scan: Any, tmp_path: Path
) -> None:
    write(scan(), tmp_path / "a")
    (tmp_path / "a" / "lost").symlink_to(target)
    report = deidentify([tmp_path / "a"], tmp_path / "out", keyed())
    assert report.written > 0
    assert report.other_files == 0
    assert [(b.participant_id, b.error.code, b.files) for b in report.left_behind] == [
        ("n/a", "HC109", 1)
    ]
    assert "HC109" in (tmp_path / "out" / "left_behind.tsv").read_text()
