"""Every refusal Hemocast can make, one tree, each with a stable code.

::

    HemocastError
    ├── UsageError              HC001  the command line or call does not make sense
    ├── ConfigError             HC002  a setting is unknown or outside its range
    ├── MissingExtra            HC003  an optional part of Hemocast is not installed
    ├── OutputExists            HC004  writing there would overwrite somebody's work
    ├── NotWritable             HC005  nothing can be written there: a file, a name, no permission
    ├── NoSpace                 HC006  the disk is full, or too small for what is to come
    ├── InUse                   HC007  somebody else is writing there, or listening on that port
    ├── WorkerDied              HC008  a process that shared the work was ended from outside
    ├── MissingFont             HC009  no font draws a name (told, and its numbers drawn instead)
    ├── PeerRefused             HC010  another system does not answer, or says no
    ├── NotAgreed               HC011  a plan or receipt of hospitals is not as it was signed
    ├── NotAdmitted             HC012  somebody who signs in is not let in
    ├── InputError                     nothing readable was given
    │   ├── NothingThere        HC101  the path does not exist or is empty
    │   ├── NotDicom            HC102  no file there is DICOM or NIfTI
    │   ├── NoCT                HC103  DICOM, but no CT images (MR only, say)
    │   ├── TruncatedFile       HC104  a file ends before its data do
    │   ├── UnsafeArchive       HC105  a zip that climbs out of its folder, or a bomb
    │   ├── UnsupportedSyntax   HC106  a compression no free decoder reads
    │   ├── MalformedFile       HC107  a file whose contents contradict each other
    │   ├── TooLarge            HC108  more pixels than a head CT can have
    │   └── Unreadable          HC109  a file or folder that the system does not let be read
    ├── SeriesError                    images, but not one plain axial head CT
    │   ├── NoHeadSeries        HC201  only localizers, summaries, other series
    │   ├── MixedPatients       HC202  several patients in one case
    │   ├── MissingSlices       HC203  a gap in the slices
    │   ├── DuplicateSlices     HC204  two different images at one position
    │   ├── TooFewSlices        HC205  too few slices or too little coverage for a head
    │   ├── BadGeometry         HC206  positions or orientations that cannot be
    │   ├── ContrastGiven       HC207  contrast agent was given
    │   ├── BoneKernel          HC208  reconstructed for bone, not for brain
    │   └── SeveralScans        HC209  more than one scan where one was asked for
    ├── ContentError                   one CT series, but not one to predict from
    │   ├── NotHounsfield       HC301  the values are not CT numbers
    │   ├── NotABrain           HC302  no brain inside a skull (a phantom, another body part)
    │   ├── BloodPresent        HC303  the scan already shows blood
    │   ├── NotAligned          HC304  the head could not be set upright
    │   ├── BurnedIn            HC305  a picture that may show text: it cannot leave as clean
    │   ├── WrongOrientation    HC306  the head lies as if the header's axes were wrong
    │   ├── NotCovered          HC307  too much of the brain lies outside the scan
    │   ├── MapNotAligned       HC308  a map does not lie on its scan's grid
    │   └── MapNotFinite        HC309  a map holds values that are no numbers
    ├── DatasetError
    │   ├── TableError          HC401  a table with bad cells, columns or keys
    │   ├── LeakageError        HC402  a patient (or scan) in more than one part
    │   ├── TooFewPatients      HC403  too few patients of a class to split, train or test
    │   ├── StoreError          HC404  a database (readers' answers, hospital) refuses
    │   └── NobodyMatched       HC405  a table of patients none of whom is known
    ├── ModelError
    │   ├── ModelNotFound       HC501  no model folder there
    │   ├── ModelCorrupt        HC502  a file of the model is not what its hash says
    │   ├── ParityError         HC503  the exported network disagrees with the trained one
    │   ├── NotFinite           HC504  for this scan the model gives something that is no number
    │   ├── NoRecord            HC505  the model needs clinical values, and has none of this patient
    │   ├── NoMap               HC506  the model needs a co-registered map, and there is none
    │   └── NoSigns             HC507  the model needs signs measured on the scan, and has none
    ├── StatisticsError         HC601  numbers from which the statistic cannot be computed
    └── InternalError           HC999  Hemocast's own fault; its cause is in a log file

A message says what was seen, what was expected and what to do. It never holds protected health
information: no names, identifiers, dates, descriptions or file names taken from a patient's files.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Self


class HemocastError(Exception):
    """A refusal with a code.

    Parameters
    ----------
    seen : str
        What was found, a sentence without its full stop.
    expected : str
        What would have been accepted, a noun phrase.
    action : str
        What the user can do about it, a sentence without its full stop.
    """

    code: ClassVar[str] = "HC000"
    exit_code: ClassVar[int] = 4
    """Of a command that ends with this refusal: 2 wrong usage, 4 refused, 5 a check found
    something, 1 Hemocast's own fault. What single cases add up to: `hemocast.cli.exits`."""

    def __init__(self, seen: str, expected: str, action: str) -> None:
        self.seen = seen
        self.expected = expected
        self.action = action
        super().__init__(seen, expected, action)

    def __str__(self) -> str:
        return f"{self.code} {self.seen}. Expected {self.expected}. {self.action}."

    def without_frames(self) -> Self:
        """Return it to be kept: without the frames it came through, its causes' too.

        They would hold all that was in memory where it was raised: of a scan, a hundred megabytes.
        """
        error: BaseException | None = self
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__
        return self


class UsageError(HemocastError):
    """The command line or call does not make sense."""

    code = "HC001"
    exit_code = 2


class ConfigError(HemocastError):
    """A setting is unknown or outside its range."""

    code = "HC002"
    exit_code = 2


class MissingExtra(HemocastError):
    """An optional part of Hemocast is not installed."""

    code = "HC003"
    exit_code = 2


class OutputExists(HemocastError):
    """Writing there would overwrite somebody's work."""

    code = "HC004"
    exit_code = 2


class NotWritable(HemocastError):
    """Nothing can be written there: a file, a wrong name, no permission."""

    code = "HC005"
    exit_code = 2


class NoSpace(HemocastError):
    """The disk is full, or too small for what is to come."""

    code = "HC006"
    exit_code = 2


class InUse(HemocastError):
    """Somebody else is writing there, or listening on that port."""

    code = "HC007"
    exit_code = 2


class WorkerDied(HemocastError):
    """A process that shared the work was ended from outside."""

    code = "HC008"
    exit_code = 2


class MissingFont(HemocastError):
    """No installed font draws a name; the figure is drawn all the same."""

    code = "HC009"
    exit_code = 2


class PeerRefused(HemocastError):
    """Another system, a PACS say, does not answer or says no."""

    code = "HC010"
    exit_code = 2


class NotAgreed(HemocastError):
    """A plan or receipt of several hospitals is not as it was signed."""

    code = "HC011"
    exit_code = 2


class NotAdmitted(HemocastError):
    """Somebody who signs in by the hospital's provider is not let in."""

    code = "HC012"
    exit_code = 2


class InputError(HemocastError):
    """Nothing readable was given."""

    code = "HC100"


class NothingThere(InputError):
    """The path does not exist or is empty."""

    code = "HC101"


class NotDicom(InputError):
    """No file there is DICOM or NIfTI."""

    code = "HC102"


class NoCT(InputError):
    """DICOM, but no CT images."""

    code = "HC103"


class TruncatedFile(InputError):
    """A file ends before its data do."""

    code = "HC104"


class UnsafeArchive(InputError):
    """A zip that climbs out of its folder, or a bomb."""

    code = "HC105"


class UnsupportedSyntax(InputError):
    """A compression that no free decoder reads."""

    code = "HC106"


class MalformedFile(InputError):
    """A file whose contents contradict each other."""

    code = "HC107"


class TooLarge(InputError):
    """More pixels than a head CT can have."""

    code = "HC108"


class Unreadable(InputError):
    """A file or folder that the system does not let be read: no permission, a failing disk."""

    code = "HC109"


class SeriesError(HemocastError):
    """Images, but not one plain axial head CT."""

    code = "HC200"


class NoHeadSeries(SeriesError):
    """Only localizers, summaries, other series."""

    code = "HC201"


class MixedPatients(SeriesError):
    """Several patients in one case."""

    code = "HC202"


class MissingSlices(SeriesError):
    """A gap in the slices."""

    code = "HC203"


class DuplicateSlices(SeriesError):
    """Two different images at one position."""

    code = "HC204"


class TooFewSlices(SeriesError):
    """Too few slices or too little coverage for a head."""

    code = "HC205"


class BadGeometry(SeriesError):
    """Positions or orientations that cannot be."""

    code = "HC206"


class ContrastGiven(SeriesError):
    """Contrast agent was given."""

    code = "HC207"


class BoneKernel(SeriesError):
    """Reconstructed for bone, not for brain."""

    code = "HC208"


class SeveralScans(SeriesError):
    """More than one scan where one was asked for."""

    code = "HC209"


class ContentError(HemocastError):
    """One CT series, but not one to predict from."""

    code = "HC300"


class NotHounsfield(ContentError):
    """The values are not CT numbers."""

    code = "HC301"


class NotABrain(ContentError):
    """No brain inside a skull: a phantom, or another body part."""

    code = "HC302"


class BloodPresent(ContentError):
    """The scan already shows blood."""

    code = "HC303"


class NotAligned(ContentError):
    """The head could not be set upright."""

    code = "HC304"


class BurnedIn(ContentError):
    """A picture that may show text, such as a name: it cannot leave as clean."""

    code = "HC305"


class WrongOrientation(ContentError):
    """The head lies as if the header's axes were wrong: left and right are not known."""

    code = "HC306"


class NotCovered(ContentError):
    """Too much of the brain lies outside the scan."""

    code = "HC307"


class MapNotAligned(ContentError):
    """A map does not lie on its scan's grid."""

    code = "HC308"


class MapNotFinite(ContentError):
    """A map holds values that are no numbers."""

    code = "HC309"


class DatasetError(HemocastError):
    """A dataset that cannot be used as it is."""

    code = "HC400"


class TableError(DatasetError):
    """A table with bad cells, columns or keys."""

    code = "HC401"


class LeakageError(DatasetError):
    """A patient (or scan) in more than one part."""

    code = "HC402"
    exit_code = 5


class TooFewPatients(DatasetError):
    """Too few patients of a class to split, train or test."""

    code = "HC403"


class StoreError(DatasetError):
    """The database of the readers' answers, or that of a hospital's studies, refuses."""

    code = "HC404"


class NobodyMatched(DatasetError):
    """A table of patients or scans none of whom is known: other ids, or another key."""

    code = "HC405"
    exit_code = 5


class ModelError(HemocastError):
    """A model folder that cannot be used."""

    code = "HC500"


class ModelNotFound(ModelError):
    """No model folder there."""

    code = "HC501"


class ModelCorrupt(ModelError):
    """A file of the model is not what its hash says."""

    code = "HC502"


class ParityError(ModelError):
    """The exported network disagrees with the trained one."""

    code = "HC503"


class NotFinite(ModelError):
    """For this scan the model gives something that is no number."""

    code = "HC504"


class NoRecord(ModelError):
    """The model needs clinical values, and has none of this patient."""

    code = "HC505"


class NoMap(ModelError):
    """The model needs a co-registered map, and there is none."""

    code = "HC506"


class NoSigns(ModelError):
    """The model needs signs measured on the scan, and has none."""

    code = "HC507"


class StatisticsError(HemocastError):
    """Numbers from which the statistic cannot be computed."""

    code = "HC601"


class InternalError(HemocastError):
    """Hemocast's own fault; its cause is in a log file."""

    code = "HC999"
    exit_code = 1


@cache
def meanings() -> dict[str, str]:
    """Say what every code means: the first line of its error's description."""
    found: dict[str, str] = {}
    waiting: list[type[HemocastError]] = [HemocastError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.setdefault(kind.code, (kind.__doc__ or "").strip().splitlines()[0])
    return found
