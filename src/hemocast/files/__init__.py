"""The only writer: files whole or not at all, folders that are ours, one writer at a time.

What the user made is the user's. A command writes into a folder that is new, empty, or that an
earlier run of the same kind left (`claim`), and replaces in it only files that Hemocast wrote and
nobody has changed since (`Output`). Temporary names begin with `TEMPORARY`, so that what a killed
run left can be told from anybody's files. Permissions follow the umask; keys and linkage tables
alone are for their owner only (``private``).
"""

from hemocast.files.claim import check_folder, claim, kind_of, new_folder, reserved
from hemocast.files.lock import locked
from hemocast.files.output import RECORD, SET_ASIDE, Output
from hemocast.files.write import (
    FULL,
    TEMPORARY,
    append_line,
    check_space,
    json_text,
    refusal_of,
    remove_temporary,
    replacing,
    table_text,
    write_bytes,
    write_json,
    write_new,
    write_table,
    write_text,
    writing,
)

__all__ = [
    "FULL", "RECORD", "SET_ASIDE", "TEMPORARY", "Output", "append_line", "check_folder",
    "check_space", "claim", "json_text", "kind_of", "locked", "new_folder", "refusal_of",
    "remove_temporary", "replacing", "reserved", "table_text", "write_bytes", "write_json",
    "write_new", "write_table", "write_text", "writing",
]  # fmt: skip
