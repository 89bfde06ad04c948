"""Stacks and labels as a PyTorch dataset, for whoever trains with tools of their own."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from hemocast.train.data import StackTable
from hemocast.volume import from_levels

Item = tuple[Tensor, Tensor]
"""Frames, float32 (frames, H, W) in [0, 1], and label, float32 (): 1 HT, 0 no HT."""


class StackDataset(Dataset[Item]):
    """The scans of a table, as float32 frames in [0, 1] with their labels.

    The stacks stay in their one memory-mapped file: any number of datasets, of workers of a
    ``DataLoader`` and of processes read the same pages. Items are the numbers that prediction
    sees.

    Parameters
    ----------
    table : StackTable
        Which scans; `StackTable.of_folder` reads what ``hemocast simulate --format stacks`` writes,
        ``table.of(patients)`` picks some patients.

    Examples
    --------
    >>> table = StackTable.of_folder(Path("cohort/stacks"))          # doctest: +SKIP
    >>> loader = DataLoader(StackDataset(table), batch_size=16, shuffle=True)  # doctest: +SKIP
    """

    def __init__(self, table: StackTable) -> None:
        self.table = table
        self._array: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        """Count the scans."""
        return len(self.table)

    def __getitem__(self, index: int) -> Item:
        """Return frames and label of a scan."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"scan {index} of {len(self)}")
        return self.frames([index])[0], torch.tensor(float(self.table.label[index]))

    def __getitems__(self, indices: list[int]) -> list[Item]:
        """Return several at once, read together: what a ``DataLoader`` asks for."""
        frames = self.frames(indices)
        labels = torch.tensor([float(self.table.label[index]) for index in indices])
        return list(zip(frames, labels, strict=True))

    def __getstate__(self) -> dict[str, object]:
        """Leave the mapping behind: a worker maps the file itself instead of getting a copy."""
        return vars(self) | {"_array": None}

    def frames(self, indices: list[int]) -> Tensor:
        """Return the frames of several scans, float32 (n, frames, H, W)."""
        if self._array is None:
            self._array = self.table.open()
        rows = [self.table.rows[index] for index in indices]
        return torch.from_numpy(from_levels(self._array[rows]))
