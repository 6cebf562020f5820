"""What every part of Folate shares: it imports nothing of ours but the record."""
