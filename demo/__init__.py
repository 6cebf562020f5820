"""A small web to crawl, with a seeded generator of its ten weeks of posts."""
