"""The report in other forms than HTML and JSON."""
