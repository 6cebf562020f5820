"""Benchmarks of text annotation without a model: speed against peers, and scores."""
