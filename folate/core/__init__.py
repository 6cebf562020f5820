"""What files and crawls read alike: times, counts and ratings. Imports nothing of ours but the record."""
