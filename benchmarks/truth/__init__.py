"""The report against truth: its shares, changes and intervals beside the labels of people."""
