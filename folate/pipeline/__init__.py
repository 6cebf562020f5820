"""The pipeline: it alone joins crawlers, the store, nlp and reports."""
