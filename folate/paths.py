"""Where things lie in a project folder. The store's own layout is corpora's affair."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from folate.core.config import CONFIG_FILE
from folate.core.errors import ConfigError, StoreError


@dataclass(frozen=True)
class ProjectPaths:
    """A folder with a folate.toml, and what Folate keeps beside it."""

    root: Path

    @property
    def config_file(self) -> Path:
        return self.root / CONFIG_FILE

    @property
    def store_folder(self) -> Path:
        """Delta tables: the record."""
        return self.root / "corpus"

    @property
    def crawls_folder(self) -> Path:
        """One folder a crawl run: posts.jsonl, ledger.jsonl, rejects.jsonl, raw/."""
        return self.root / "crawls"

    @property
    def rejects_folder(self) -> Path:
        return self.root / "rejects"

    @property
    def reports_folder(self) -> Path:
        return self.root / "reports"

    @property
    def thresholds_file(self) -> Path:
        """Of tags, learnt from judged posts: JSON."""
        return self.root / "thresholds.json"

    @property
    def duplicates_file(self) -> Path:
        """Which posts were compared for copies, and with which outcome (see `folate.pipeline.annotate.copies`): derived from the store."""
        return self.root / "copies.parquet"

    @property
    def outbox_file(self) -> Path:
        """What was told to whom (see `folate.delivery.outbox`)."""
        return self.root / "deliveries.sqlite"

    def load_or_create_salt(self) -> str:
        """Return the secret that keys author hashes; made on first use, readable by its owner only.

        Raises ConfigError when it is empty, unreadable or no text, StoreError when it is gone and posts are there whose authors were hashed
        with it: with another one every author would be a new person.
        """
        path = self.root / ".salt"
        if not path.exists():
            if self.has_hashed_authors():
                raise StoreError(
                    f"{path} is missing, and the authors of the posts in {self.root} are hashed with it: restore it from a backup; "
                    "with a new one everybody would be taken for somebody else."
                )
            self._make_salt(path)
        try:
            salt = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not ASCII"
            raise ConfigError(
                f"{path} can't be read ({why}), and the authors of all posts are hashed with it: restore it."
            ) from error
        if not salt:
            raise ConfigError(
                f"{path} is empty, and authors must not be hashed without a secret: restore it from a backup."
            )
        if not salt.isprintable():
            raise ConfigError(
                f"{path} holds control characters and not the secret that was written: restore it from a backup; the authors of all posts "
                "are hashed with it."
            )
        return salt

    def has_hashed_authors(self) -> bool:
        """Whether posts are kept whose authors were hashed with the salt."""
        return (self.store_folder / "posts").exists() or any(
            self.crawls_folder.glob("*/posts.jsonl")
        )

    def _make_salt(self, path: Path) -> None:
        """Whole or not at all, and the first of two processes wins."""
        aside = self.root / f".salt.{os.getpid()}"
        with os.fdopen(
            os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
