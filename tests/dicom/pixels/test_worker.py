"""A decoder that crashes, hangs or asks for all memory costs one frame; real ones are made to."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from hemocast.dicom.header.images import read_images
from hemocast.dicom.pixels import worker as rooms_worker
from hemocast.dicom.pixels.decode import stored
from hemocast.dicom.pixels.decompress import MOST_BYTES, Compressed
from hemocast.dicom.pixels.worker import WORKER, Worker
from hemocast.errors import MalformedFile

Frame = tuple[Compressed, bytes]
PLUGINS = {"MR_small_jpeg_ls_lossless.dcm": "pyjpegls", "MR_small_jp2klossless.dcm": "pylibjpeg"}


def sample(name: str) -> Frame:
    """A compressed frame of pydicom's own files."""
    dataset = dcmread(get_testdata_file(name, download=False))
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    size = (dataset.Rows, dataset.Columns, dataset.BitsAllocated, dataset.BitsStored)
    return Compressed(syntax, PLUGINS[name], *size, bool(dataset.PixelRepresentation)), frame


LS, J2K = map(sample, PLUGINS)


def jpeg_lossless(precision: int) -> Frame:
    """A stream of 8 x 8 pixels of equal value; GDCM ends its process at some precisions."""
    stream = struct.pack(">4sHB2HI", b"\xff\xd8\xff\xc3", 11, precision, 8, 8, 0x01011100)
    stream += b"\xff\xc4\x00\x14\x00\x01" + bytes(16)  # one code, of one bit: no difference
    stream += bytes.fromhex("ffda00080101000100 00") + bytes(40) + b"\xff\xd9"
    return Compressed("1.2.840.10008.1.2.4.70", "gdcm", 8, 8, 16, 16, False), stream


def j2k_bomb(size: int) -> Frame:
    """A stream of 120 bytes that claims an image of `size` x `size` pixels in one tile."""
    place = struct.pack(">HH8IH", 41, 0, size, size, 0, 0, size, size, 0, 0, 1)
    stream = b"\xff\x4f\xff\x51" + place + b"\x0f\x01\x01"
    stream += bytes.fromhex("ff52000c00000001000504040001") + b"\xff\x5c\x00\x13\x40" + b"H" * 16
    stream += b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 0, 0, 1) + b"\xff\x93" + bytes(50)
    return Compressed(J2K[0].syntax, "pylibjpeg", size, size, 16, 16, False), stream + b"\xff\xd9"


def pid_of(worker: Worker) -> int:
    assert worker.pid is not None
    return worker.pid


def ended(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(") ")[2][0] == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Return a worker whose process runs."""
    made = Worker()
    made.decode(*LS)
    yield made
    made.close()


@pytest.mark.parametrize("frame", [LS, J2K, jpeg_lossless(16)])
def test_it_decodes_as_this_process_would(frame: Frame, worker: Worker) -> None:
    how, stream = frame
    first = pid_of(worker)
    mine = how.decode(stream)
    theirs = worker.decode(how, stream)
    assert theirs.dtype == mine.dtype
    np.testing.assert_array_equal(theirs, mine)
    assert worker.pid == first


@pytest.mark.parametrize("precision", [200, 141, 60])
def test_a_decoder_that_crashes_costs_one_frame(precision: int, worker: Worker) -> None:
    first = pid_of(worker)
    with pytest.raises(MalformedFile, match="made its decoder crash"):
        worker.decode(*jpeg_lossless(precision))
    assert ended(first)
    assert worker.decode(*jpeg_lossless(16)).shape == (8, 8)
    assert worker.pid != first


def test_a_decoder_that_refuses_a_stream_goes_on(worker: Worker) -> None:
    first = worker.pid
    with pytest.raises(MalformedFile, match="cannot be decompressed"):
        worker.decode(J2K[0], b"no stream")
    assert worker.decode(*J2K).shape == (64, 64)
    assert worker.pid == first


@pytest.mark.parametrize("size", [20_000, 60_000])
def test_a_bomb_is_refused_and_memory_bounded(size: int, worker: Worker) -> None:
    pid = pid_of(worker)
    assert resource.prlimit(pid, resource.RLIMIT_AS) == (MOST_BYTES, MOST_BYTES)
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)  # it would hold pixels
    with pytest.raises(MalformedFile):
        worker.decode(*j2k_bomb(size))
    assert worker.decode(*J2K).shape == (64, 64)


def test_a_decoder_that_never_comes_back_is_ended(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_worker, "LONGEST_SECONDS", 0.5)
    first = pid_of(worker)
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(MalformedFile, match=r"more than 0\.5 seconds"):
        worker.decode(*LS)
    assert ended(first)
    monkeypatch.undo()
    assert worker.decode(*LS).shape == (64, 64)


def test_a_process_killed_in_mid_frame_costs_the_frame(worker: Worker) -> None:
    first = pid_of(worker)
    os.kill(first, signal.SIGSTOP)
    Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
    with pytest.raises(MalformedFile, match="crash"):
        worker.decode(*LS)
    assert worker.decode(*LS).shape == (64, 64)


def test_a_process_killed_between_frames_costs_nothing(worker: Worker) -> None:
    first = pid_of(worker)
    os.kill(first, signal.SIGKILL)
    assert ended(first)
    assert worker.decode(*LS).shape == (64, 64)


def test_no_frame_gets_the_answer_of_one_that_was_interrupted(worker: Worker) -> None:
    first = pid_of(worker)
    os.kill(first, signal.SIGSTOP)
    # A shell's background job ignores what a user's Ctrl-C sends.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            worker.decode(*LS)
    finally:
        signal.signal(signal.SIGINT, before)
    assert worker.decode(*jpeg_lossless(16)).shape == (8, 8)


def test_threads_take_turns_and_get_their_own(worker: Worker) -> None:
    frames = [(LS, J2K, jpeg_lossless(16))[i % 3] for i in range(60)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda frame: worker.decode(*frame), frames))
    for (how, stream), values in zip(frames, found, strict=True):
        np.testing.assert_array_equal(values, how.decode(stream))


def test_a_copy_of_this_process_starts_its_own() -> None:
    WORKER.decode(*LS)
    mine = pid_of(WORKER)
    child = os.fork()
    if child == 0:
        good = WORKER.decode(*LS).shape == (64, 64) and WORKER.pid != mine
        WORKER.close()
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert WORKER.decode(*LS).shape == (64, 64)
    assert WORKER.pid == mine


def test_joblibs_processes_decode_too() -> None:
    from joblib import Parallel, delayed

    found = Parallel(2)(delayed(_decode)(*LS) for _ in range(4))
    for values in found:
        np.testing.assert_array_equal(values, LS[0].decode(LS[1]))


def _decode(how: Compressed, frame: bytes) -> np.ndarray:
    return WORKER.decode(how, frame)


PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from hemocast.dicom.pixels.decode import stored
from hemocast.dicom.pixels.worker import WORKER
from hemocast.dicom.header.images import read_images
from pathlib import Path
(image,) = read_images(Path(sys.argv[1]))
stored(image.pixels)
print(WORKER.pid, flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_parent_however_that_ends(way: signal.Signals) -> None:
    path = get_testdata_file("JPEG2000.dcm", download=False)
    command = [sys.executable, "-c", PARENT, str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(way)
        parent.wait()
        assert ended(pid)


def test_a_file_of_a_series_is_refused_by_code_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dcm"
    shutil.copy(str(get_testdata_file("JPEG2000.dcm", download=False)), path)
    (image,) = read_images(path)
    whole = partial(stored, image.pixels)
    before = whole()
    monkeypatch.setattr(rooms_worker, "LONGEST_SECONDS", 0.3)
    os.kill(pid_of(WORKER), signal.SIGSTOP)
    with pytest.raises(MalformedFile) as refusal:
        whole()
    assert str(refusal.value).startswith("HC107 ")
    monkeypatch.undo()
    np.testing.assert_array_equal(whole(), before)
