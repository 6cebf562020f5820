"""The store and every question that can be asked of it."""
