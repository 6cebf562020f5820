"""The search: which posts of the index a query selects, and where its hits are in them."""
