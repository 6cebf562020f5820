"""Speeds and scores on data given by path, printed as ratios against peers run in the same run."""
