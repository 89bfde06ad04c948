"""Put the members of several pre-trained encoders into one, or take one member out.

``python benchmarks/join_encoders.py ENCODER ENCODER ... OUT``: each from ``hemocast pretrain``, of
the same network; OUT is new. ``--only K ENCODER OUT``: the K-th member of one, from 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hemocast.files import claim
from hemocast.train.pretrain.encoder import KIND, join_encoders, take_member


def main() -> None:
    """Join."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoders", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", type=int, metavar="K")
    asked = parser.parse_args()
    if asked.only and len(asked.encoders) > 1:
        parser.error("--only takes a member of one encoder")
    with claim(asked.out, KIND) as output:
        if asked.only:
            take_member(asked.encoders[0], asked.only, output)
        else:
            join_encoders(asked.encoders, output)


if __name__ == "__main__":
    main()
