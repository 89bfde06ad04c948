"""Studies that nobody sends: asked for at a PACS (C-FIND, QIDO-RS), and fetched from there."""
