"""Whether a model works alike in all subgroups."""
