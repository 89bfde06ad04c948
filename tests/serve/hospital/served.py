"""A service in a process of its own, whose predictions cost nothing: what tests end by force.

A second argument names a patient whose study it takes ten minutes for. Where the settings send
refusals, each has the objects that tell of it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from pydicom import dcmread

from hemocast.pipeline.predictions.folder import CaseResult
from hemocast.serve.hospital.analyst import Finding, Looked
from hemocast.serve.hospital.objects import refusal_objects
from hemocast.serve.hospital.service import opened, running
from hemocast.serve.hospital.settings import read_settings


class Teller:
    """Refuses every study, and writes down whose images it saw, and which process it is."""

    def __init__(self, *, tells: bool) -> None:
        self._tells = tells

    def look(self, folder: Path) -> Looked:
        return Looked(1)

    def predict(self, folder: Path, model: str, revision: int) -> tuple[Finding, ...]:
        time.sleep(0.05)  # so that a kill meets it at work
        paths = list(folder.iterdir())
        images = [dcmread(path, stop_before_pixels=True) for path in paths]
        whose = ",".join(sorted({str(image.PatientID) for image in images}))
        if whose in sys.argv[2:]:
            time.sleep(600)
        told = f"{whose} {len({image.SOPInstanceUID for image in images})} {revision} {os.getpid()}"
        result = CaseResult(1, "refused", "HC205", "HC205 Too few.", "sub-1", "scan-1")
        objects = {}
        if self._tells:
            why = result.code, result.message
            objects = refusal_objects(paths[0], *why, revision=revision, lang="en")
        return (Finding(result, {"report.html": told.encode()}, objects),)


if __name__ == "__main__":
    settings = read_settings(Path(sys.argv[1]))
    teller = Teller(tells=settings.delivery.refusals)
    with opened(settings) as office, running(office, teller) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)
