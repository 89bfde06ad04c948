"""Folders and tables: layout, pseudonyms, splits."""

from hemocast.dataset.layout import Dataset
from hemocast.dataset.pseudonym import load_key, participant_id
from hemocast.dataset.split.by_patient import Split, split_patients
from hemocast.dataset.split.saved import save_split

__all__ = ["Dataset", "Split", "load_key", "participant_id", "save_split", "split_patients"]
