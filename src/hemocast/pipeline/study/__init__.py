"""One study's records, told as methods, results, checklists and doubts."""
