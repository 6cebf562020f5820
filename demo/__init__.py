"""A small web site to crawl, and the seeded generator of its ten weeks of posts. Nothing else knows about it."""
