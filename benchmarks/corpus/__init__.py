"""Benchmark of questions to a corpus, beside other engines in the same run."""
