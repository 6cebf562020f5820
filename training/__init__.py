"""Commands that make what ships beside a model."""
