"""A simulated cohort as DICOM studies, with tables beside them."""

from __future__ import annotations

from functools import partial

from hemocast.simulate.epidemiology.patients import Patient
from hemocast.simulate.write import tables
from hemocast.simulate.write.study import write_patient
from hemocast.simulate.write.writer import CohortWriter, dicom_bytes


class DicomWriter(CohortWriter):
    """A cohort as studies in ``dicom``; its patients and studies are called what the truth does."""

    def name(self, patient: Patient) -> str:
        """Return the patient's number."""
        return patient.patient_id

    def sessions(self, patient: Patient) -> list[str]:
        """Return the folders of the studies."""
        return [scan.folder for scan in patient.scans]

    def tables(self) -> dict[str, str]:
        """Return labels, clinical data, follow-up and reviews, one row a patient or review."""
        labels: list[tables.Row] = []
        clinical, follow_up, reviews = list(labels), list(labels), list(labels)
        for patient in self.patients:
            name: tables.Row = {"patient_id": patient.patient_id}
            labels.append(name | {"label": patient.label})
            clinical.append(name | tables.person_row(patient) | tables.clinical_row(patient))
            follow_up.append(name | tables.follow_up_row(patient))
            reviews += [name | row for row in tables.review_rows(self.config, patient)]
        files = {"labels": labels, "clinical": clinical, "followup": follow_up, "reviews": reviews}
        return {f"{name}.csv": tables.csv_text(rows) for name, rows in files.items()}

    def space(self) -> float:
        """Return the size of the studies that are missing."""
        return sum(map(dicom_bytes, self.missing("dicom")))

    def render(self) -> None:
        """Write every study that is not there yet."""
        self.clean("dicom")
        self.render_each(
            partial(write_patient, self.config, out=self.out, dicom=self.out / "dicom")
        )
