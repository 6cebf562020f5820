"""`python -m folate.cli` is `folate`."""

from folate.cli import main

main()
