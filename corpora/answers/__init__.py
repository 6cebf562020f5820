"""The answers: concordances, counts, trends, statistics of words and labels, with pictures."""
