"""The query language: text to a checked tree, and the tree to its canonical form and to JSON."""
