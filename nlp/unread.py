"""What a model says of a text with nothing to read."""

UNREADABLE = (0.3, 0.4, 0.3)
"""Probabilities of negative, neutral and positive: neutral, with low confidence."""
