"""Bits of the pixels' words that belong to no pixel: nothing may leave in them.

A word of 16 bits holds a pixel of, often, 12. What lies above must be nothing, or the pixel's sign
carried up. Anything else goes, or where a compression holds it, the image is refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.header.image import Pixels
from hemocast.dicom.pixels import decode
from hemocast.dicom.refusals import malformed
from hemocast.errors import BurnedIn

Words = NDArray[np.uint16]


def clean_bits(pixels: Pixels, words: Words) -> Words:
    """Give one frame's words without what lies above their pixels.

    Parameters
    ----------
    pixels : Pixels
        Says how many bits are a pixel's.
    words : ndarray of uint16, shape (rows, columns)
        As stored.

    Returns
    -------
    ndarray of uint16, shape (rows, columns)
        `words` themselves where there is nothing to remove. Words of the padding value stay as they
        are, for they are one value, which the header tells.

    Raises
    ------
    BurnedIn
        The header contradicts the pixels, so that the upper bits may be part of the CT numbers.
    """
    if not 1 <= pixels.bits_stored <= 16:
        raise malformed(f"An image claims {pixels.bits_stored} bits in 16")
    unused = 16 - pixels.bits_stored
    if not unused:
        return words
    padding = np.array([value & 0xFFFF for value in pixels.padding], np.uint16)
    told = ~np.isin(words, padding)
    said = words[told]
    if any(np.array_equal(form(said, unused), said) for form in (_plain, _extended)):
        return words
    bits = decode.understand(pixels, said.view(np.int16) if pixels.signed else said)
    if bits is (decode.Bits.AS_SAID if pixels.signed else decode.Bits.SIGNED):
        raise BurnedIn(
            "The pixels use bits that their header does not count, which may be CT numbers or text",
            "pixels that fit into BitsStored",
            "Export the series again, or correct BitsStored",
        )
    clean = (_extended if pixels.signed else _plain)(words, unused)
    return np.where(told, clean, words)


def _plain(words: Words, unused: int) -> Words:
    return words & np.uint16(0xFFFF >> unused)


def _extended(words: Words, unused: int) -> Words:
    return ((words.view(np.int16) << unused) >> unused).view(np.uint16)


def check_compressed_bits(pixels: Pixels, frame: bytes) -> None:
    """Refuse a compressed frame that holds anything above its pixels' bits.

    Parameters
    ----------
    pixels : Pixels
        Its layout.
    frame : bytes
        Its codestream.

    Raises
    ------
    BurnedIn
        It does: taking it out would mean to compress anew.
    TruncatedFile, MalformedFile
        It cannot be decoded.
    """
    if pixels.bits_stored >= 16 or pixels.syntax not in decode.DECODERS:
        return  # JPEG in 8 or 12 bits holds no more
    words = decode.stored(replace(pixels, bits_stored=16), frame).astype(np.int32).astype(np.uint16)
    if not np.array_equal(clean_bits(pixels, words), words):
        raise BurnedIn(
            "The bits above the pixels are not empty, and may hold text",
            "nothing in the unused bits of compressed images",
            "Ask the archive to send them uncompressed (Explicit VR Little Endian)",
        )
