"""A Scrapy project: spiders/ schedule requests, parse/ turns a page or a payload into Posts."""
