"""A PACS asked by QIDO-RS, that gives by WADO-RS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hemocast.dicom.files.dicomweb import RemoteStudy, Server
from hemocast.errors import InputError, NothingThere, PeerRefused, TooLarge
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.pull.wanted import (
    SERIES_KEYS,
    STUDY_KEYS,
    FoundStudy,
    Wanted,
    found_series,
    text,
)
from hemocast.serve.hospital.root import Root

if TYPE_CHECKING:
    from pydicom import Dataset

_LOG = logging.getLogger(__name__)
_SENDER = "dicomweb"


class WebPeer:
    """A `Source`.

    Parameters
    ----------
    address : str
        Base of its DICOMweb, ``https://host/dicom-web``.
    root : Root
        Where images lie until they are taken.
    inbox : Inbox
        Takes them.
    """

    def __init__(self, address: str, root: Root, inbox: Inbox) -> None:
        self._server = Server(f"dicomweb+{address}")
        self._root = root
        self._inbox = inbox

    def find(self, wanted: Wanted) -> list[FoundStudy]:
        """List the studies that are wanted.

        Raises
        ------
        PeerRefused
            It does not answer as QIDO-RS does.
        """
        try:
            found = [
                self._with_series(study, wanted)
                for study in self._server.search(wanted.keys(), STUDY_KEYS)
                if wanted.fits_study(study)
            ]
        except (NothingThere, TooLarge) as error:
            raise _refused(error) from None
        return [one for one in found if one.series]

    def _with_series(self, study: Dataset, wanted: Wanted) -> FoundStudy:
        uid = text(study, "StudyInstanceUID")
        answers = self._server.search({"Modality": "CT"}, SERIES_KEYS, study_uid=uid)
        series = [found_series(one) for one in answers if wanted.fits_series(one, study)]
        return FoundStudy(uid, tuple(one for one in series if one.uid))

    def fetch(self, study: FoundStudy) -> None:
        """Return once its images are here; what is no good image costs that image.

        Raises
        ------
        PeerRefused
            It does not give what was asked for.
        NoSpace, NotWritable, StoreError
            It cannot be kept.
        """
        asked = RemoteStudy(study.uid, "", tuple(one.uid for one in study.series))
        self._inbox.check_room()
        with self._root.receiving() as folder:
            try:
                self._server.fetch(asked, folder)
            except (NothingThere, TooLarge) as error:
                raise _refused(error) from None
            for image in sorted(folder.iterdir()):
                try:
                    self._inbox.take(image, _SENDER)
                except InputError as error:
                    _LOG.warning("an image was turned away: %s", error)


def _refused(error: InputError) -> PeerRefused:
    return PeerRefused(error.seen, error.expected, error.action)
