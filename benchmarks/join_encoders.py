"""Put the members of several pre-trained encoders into one.

``python benchmarks/join_encoders.py ENCODER ENCODER ... OUT``: each from ``hemocast pretrain``, of
the same network; OUT is new.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hemocast.files import claim
from hemocast.train.pretrain.encoder import KIND, join_encoders


def main() -> None:
    """Join."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoders", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    with claim(asked.out, KIND) as output:
        join_encoders(asked.encoders, output)


if __name__ == "__main__":
    main()
