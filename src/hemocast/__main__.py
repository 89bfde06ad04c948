"""``python -m hemocast``: the command line, where the script ``hemocast`` is not on the path."""

from hemocast.cli.main import run

if __name__ == "__main__":
    run()
