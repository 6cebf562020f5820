"""Text to annotations, counts to topics: pure functions on batches, no project files, no store."""
