"""The project: a folder with a folate.toml, its configuration, and the store beside it."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from corpora.store.store import STORE_FOLDER, Store
from folate.core.config import CONFIG_FILE, Config, load_config
from folate.core.errors import ConfigError, StoreError
from nlp.extract.brands import check_brand_names


@dataclass(frozen=True)
class Project:
    """One project folder: where its files are, its configuration and its store.

    The configuration and the store are loaded on first use, so that a project whose folate.toml
    is broken can still be checked. `Project.open` loads the configuration at once.
    """

    root: Path

    @classmethod
    def open(cls, folder: Path) -> "Project":
        """Load the project in `folder`. Raises ConfigError when it has no valid folate.toml."""
        project = cls(folder)
        _ = project.config
        return project

    @cached_property
    def config(self) -> Config:
        """The contents of folate.toml. Raises ConfigError when it is missing or invalid."""
        config = load_config(self.root)
        check_brand_names(config.brands)
        return config

    @cached_property
    def store(self) -> Store:
        """The Delta tables of the project. Raises StoreError when they need a migration."""
        return Store(self.store_folder)

    @property
    def config_file(self) -> Path:
        """The project file, folate.toml."""
        return self.root / CONFIG_FILE

    @property
    def store_folder(self) -> Path:
        """The folder of the store; its layout is defined by `corpora.store`."""
        return self.root / STORE_FOLDER

    @property
    def crawls_folder(self) -> Path:
        """One folder per crawl run, with posts.jsonl, ledger.jsonl, rejects.jsonl and raw/."""
        return self.root / "crawls"

    @property
    def rejects_folder(self) -> Path:
        """One JSONL file per imported file, with its rejected rows."""
        return self.root / "rejects"

    @property
    def reports_folder(self) -> Path:
        """The written reports and their index page."""
        return self.root / "reports"

    @property
    def thresholds_file(self) -> Path:
        """Thresholds of tags, fitted to posts that a person labelled; JSON."""
        return self.root / "thresholds.json"

    @property
    def duplicates_file(self) -> Path:
        """The state of duplicate detection (`folate.pipeline.annotate.copies`).

        It can be derived from the store again.
        """
        return self.root / "copies.parquet"

    @property
    def outbox_file(self) -> Path:
        """The deliveries of reports and alerts (`folate.delivery.outbox`)."""
        return self.root / "deliveries.sqlite"

    def vocabulary_digest(self) -> str:
        """Return a digest of the brands, the added words and the audience segments.

        Posts are annotated again when it changes.
        """
        brands = sorted((brand.id, brand.aliases) for brand in self.config.brands)
        words = sorted(self.config.nlp.words)
        segments = [(segment.id, segment.terms) for segment in self.config.segments]
        return blake2b(repr((brands, words, segments)).encode(), digest_size=4).hexdigest()

    def load_or_create_salt(self) -> str:
        """Return the secret that keys author hashes.

        It is created on first use, readable by its owner only. Raises ConfigError when the file is
        empty, unreadable or not text, and StoreError when it is missing although authors were
        hashed with it: with a new salt every author would get another hash.
        """
        path = self.root / ".salt"
        if not path.exists():
            if self.has_hashed_authors():
                raise StoreError(
                    f"{path} is missing, and the authors of the posts in {self.root} are hashed "
                    "with it: restore it from a backup; "
                    "with a new one everybody would be taken for somebody else."
                )
            self._create_salt(path)
        try:
            salt = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
            raise ConfigError(
                f"{path} can't be read ({reason}), and the authors of all posts "
                "are hashed with it: restore it."
            ) from error
        if not salt:
            raise ConfigError(
                f"{path} is empty, and authors must not be hashed without a secret: "
                "restore it from a backup."
            )
        if not salt.isprintable():
            raise ConfigError(
                f"{path} holds control characters and not the secret that was written: "
                "restore it from a backup; the authors of all posts are hashed with it."
            )
        return salt

    def has_hashed_authors(self) -> bool:
        """Return whether the project has posts whose authors were hashed with the salt."""
        return (self.store_folder / "posts").exists() or any(
            self.crawls_folder.glob("*/posts.jsonl")
        )

    def _create_salt(self, path: Path) -> None:
        """Write a new salt atomically; of two processes, the first one's salt is used by both."""
        temporary_file = self.root / f".salt.{os.getpid()}"
        descriptor = os.open(temporary_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(temporary_file, path)
        temporary_file.unlink()
