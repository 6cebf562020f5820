"""The index: arrays of texts, words and metadata on disk that follow the store, and vectors."""
