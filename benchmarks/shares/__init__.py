"""How far the shares of a report are from the truth, and how often their intervals hold it."""
