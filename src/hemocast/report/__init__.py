"""What people see: pictures, pages and the record of a prediction.

Nothing is computed here, and apart from single pages and pictures nothing is written: the stories
in `hemocast.pipeline` put what is returned into files.
"""

from hemocast.report.case.page import write_case_page
from hemocast.report.case.record import prediction_json
from hemocast.report.pictures.montage import write_montage

__all__ = ["prediction_json", "write_case_page", "write_montage"]
