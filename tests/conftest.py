"""What every test shares."""

import gc


def pytest_unconfigure() -> None:
    """Hypothesis leaves a callback in the collector that keeps modules alive at exit, and duckdb then reports them as leaks."""
    gc.callbacks.clear()
