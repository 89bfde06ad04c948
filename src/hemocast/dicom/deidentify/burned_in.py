"""Text burned into axial slices, told by what no scanner makes: bright air that never varies.

A scanner's noise changes every pixel from slice to slice; drawn letters stay as they are. Looked
for are groups of pixels outside the body, brighter than air, of exactly one value at one place in
`RUN` slices one after the other. Not found is text over the head, text of another place or value in
every slice, and text that lossy compression has made uneven.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.dicom.deidentify.bits import clean_bits
from hemocast.dicom.header.image import Image
from hemocast.dicom.pixels import decode
from hemocast.errors import BurnedIn, HemocastError

RUN = 5  # slices
BRIGHT_HU = -300.0  # above any blend of air with foam or cloth
LEAST_GROUP, LEAST_PIXELS = 4, 12  # a stroke of a letter; a short word
_MARGIN = 3  # pixels around the body
_AROUND = np.ones((3, 3), bool)


class Marks:
    """Looks at one slice after the other, and remembers the last one alone."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._run: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self.slices = 0

    def add(self, hu: NDArray[np.float32]) -> None:
        """Look at a slice.

        Parameters
        ----------
        hu : ndarray of float32, shape (rows, columns)
        """
        bright = hu > BRIGHT_HU
        if self._before is None or self._before.shape != hu.shape:
            self._run = bright.astype(np.int32)
        else:
            same = bright & (hu == self._before)
            self._run = np.where(same, self._run + 1, bright)
        self._before = hu
        constant = self._run >= RUN
        if constant.sum() < LEAST_PIXELS:
            return
        constant &= ~_body(bright)
        labels, n = ndimage.label(constant, _AROUND)
        sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
        if sizes[sizes >= LEAST_GROUP].sum() >= LEAST_PIXELS:
            self.slices = self.slices + 1 if self.slices else RUN

    def add_file(self, images: Sequence[Image]) -> None:
        """Look at every frame of a file; what cannot be decoded cannot be looked at."""
        for image in images:
            p = image.pixels
            try:
                decode.check(p)
                values = decode.stored(p)
                native = values.astype(np.int16 if values.dtype.kind == "i" else np.uint16)
                # As it would leave: what lies above the pixels' bits may stand still, too.
                values = clean_bits(p, native.view(np.uint16)).view(native.dtype)
            except HemocastError:
                continue
            hu = np.empty(values.shape, np.float32)
            decode.to_hu(p, values, decode.understand(p, values), hu)
            self.add(hu)

    def refuse(self) -> None:
        """Refuse the slices looked at.

        Raises
        ------
        BurnedIn
            Something in the air never varies.
        """
        if self.slices:
            raise BurnedIn(
                f"Something bright stands still in the air of {self.slices} slices, as text does "
                "that is burned into the image",
                "CT images without text in their pixels",
                "Look at the slices; leave the series out, or clean it with a tool that edits "
                "pixels",
            )


def _body(bright: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest bright thing, with a margin."""
    labels, n = ndimage.label(bright)
    if not n:
        return bright
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = labels == sizes.argmax()
    grown: NDArray[np.bool_] = ndimage.binary_dilation(body, _AROUND, _MARGIN)
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(grown)
    return filled
