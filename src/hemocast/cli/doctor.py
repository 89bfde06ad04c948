"""``hemocast doctor``: what is installed and what this machine has."""

from __future__ import annotations

from hemocast.cli.exits import leave_if_found


def doctor() -> None:
    """Say what is installed, what the machine has, what is missing and how to get it.

    Nothing is sent anywhere. Exit code: 0 all that is needed is there, 5 something is not.
    """
    from hemocast.pipeline.doctor import examine

    lacking = 0
    for found in examine():
        mark = {True: "ok     ", False: "MISSING", None: "       "}[found.ok]
        print(f"{mark} {found.what:20} {found.words}")
        if found.remedy:
            print(f"{'':28} {found.remedy}")
        lacking += found.ok is False
    print(f"{lacking} thing(s) that Hemocast needs are missing" if lacking else "All is there")
    leave_if_found(lacking)
