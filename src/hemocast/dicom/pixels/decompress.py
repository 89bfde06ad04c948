"""The process that decodes frames: a crash, a loop or a bomb in a decoder of C ends it, no more.

Started by `worker` as a program of its own, of which nothing else of Hemocast is loaded: it starts
in the time of two imports. Requests come through its input, answers leave through its output; each
is a length, a header in JSON and bytes. It ends when its input does, and so with its parent.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 2**31
"""Of address space, the decoders' own code included; an image of the largest size takes a tenth."""

LONGEST_SECONDS = 20
"""For one frame: a hundred times what the largest image takes."""


@dataclass(frozen=True)
class Compressed:
    """How one frame's pixels are compressed.

    Parameters
    ----------
    syntax : str
        UID of the transfer syntax.
    plugin : str
        Of pydicom, that decodes it.
    rows, columns, bits_allocated, bits_stored : int
        Layout.
    signed : bool
        Two's complement.
    """

    syntax: str
    plugin: str
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    signed: bool

    def decode(self, frame: bytes) -> NDArray[Any]:
        """Decode a codestream in this process.

        Returns
        -------
        ndarray of integers, shape (rows, columns)
        """
        from pydicom.encaps import encapsulate
        from pydicom.pixels.decoders.base import get_decoder
        from pydicom.uid import UID

        options: dict[str, Any] = {
            "transfer_syntax_uid": UID(self.syntax),
            "rows": self.rows,
            "columns": self.columns,
            "samples_per_pixel": 1,
            "number_of_frames": 1,
            "bits_allocated": self.bits_allocated,
            "bits_stored": self.bits_stored,
            "pixel_representation": int(self.signed),
            "photometric_interpretation": "MONOCHROME2",
            "pixel_keyword": "PixelData",
        }
        items = encapsulate([frame], has_bot=False)
        array: NDArray[Any] = get_decoder(self.syntax).as_array(
            items, index=0, raw=True, decoding_plugin=self.plugin, **options
        )[0]
        return array


def ask(stream: IO[bytes], how: Compressed, frame: bytes) -> None:
    """Send a frame to be decoded."""
    send(stream, asdict(how), frame)


def send(stream: IO[bytes], header: Mapping[str, Any], content: bytes | memoryview) -> None:
    """Write a message.

    Parameters
    ----------
    stream : file
        Of bytes.
    header : mapping
        What JSON can hold.
    content : bytes
        What belongs to it.
    """
    text = json.dumps(header).encode()
    stream.write(struct.pack("<II", len(text), len(content)) + text)
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read a message; None where the stream ends before its end."""
    sizes = stream.read(8)
    if len(sizes) < 8:
        return None
    of_text, of_content = struct.unpack("<II", sizes)
    text, content = stream.read(of_text), stream.read(of_content)
    return (json.loads(text), content) if len(content) == of_content else None


def limit() -> None:
    """Bound this process's memory, and leave no picture of it where it crashes."""
    with suppress(ImportError):  # Windows has no such limits
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Decode what comes until nothing more does; what cannot be is answered with its error."""
    while (request := receive(requests)) is not None:
        # Whoever asks ends this process when it takes too long; this is for when nobody is left.
        with suppress(AttributeError):
            signal.alarm(2 * LONGEST_SECONDS)
        try:
            array = Compressed(**request[0]).decode(request[1])
            header = {"shape": array.shape, "dtype": array.dtype.str}
            content = memoryview(array.tobytes())
        # A panic in a decoder written in Rust is no Exception.
        except BaseException as error:
            header, content = {"error": type(error).__name__}, memoryview(b"")
        with suppress(AttributeError):
            signal.alarm(0)
        send(answers, header, content)


def main() -> None:
    """Serve the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
    warnings.simplefilter("ignore")
    # Decoders print what they think of a stream: never among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limit()
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
