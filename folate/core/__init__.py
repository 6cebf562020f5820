"""What crawlers and corpora share of reading: it imports nothing of ours but the floor."""
