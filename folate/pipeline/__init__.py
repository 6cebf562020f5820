"""Joins the parts: crawlers to the store, the store to nlp, the store to reports. Nothing else may."""
