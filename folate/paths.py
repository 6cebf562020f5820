"""Where things lie in a project folder. The store's own layout is corpora's affair."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from folate.config import FILE


@dataclass(frozen=True)
class Project:
    """A folder with a folate.toml, and what Folate keeps beside it."""

    root: Path

    @property
    def file(self) -> Path:
        return self.root / FILE

    @property
    def store(self) -> Path:
        """Delta tables: the record."""
        return self.root / "corpus"

    @property
    def crawls(self) -> Path:
        """One folder a crawl run: posts.jsonl, ledger.jsonl, rejects.jsonl, raw/."""
        return self.root / "crawls"

    @property
    def rejects(self) -> Path:
        return self.root / "rejects"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def salt(self) -> str:
        """The secret that keys author hashes; made on first use, readable by its owner only."""
        path = self.root / ".salt"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()
