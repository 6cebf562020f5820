"""Measures (value, n, interval, query) -> one report object -> html and json."""
