"""A project, opened: its folder, its configuration, its store."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from corpora.store.store import Store
from folate.core.config import Config, load_config
from folate.paths import ProjectPaths
from nlp.extract.brands import check_brand_names


@dataclass(frozen=True)
class Project:
    """What every step of the pipeline works on."""

    paths: ProjectPaths
    config: Config

    @classmethod
    def open(cls, folder: Path) -> "Project":
        """Raises ConfigError when `folder` is no project, StoreError when its store needs a migration."""
        config = load_config(folder)
        check_brand_names(config.brands)
        return cls(ProjectPaths(folder), config)

    @cached_property
    def store(self) -> Store:
        return Store(self.paths.store_folder)

    def vocabulary_digest(self) -> str:
        """Changes when brands or confirmed words do: what was read with other ones must be read again."""
        brands = sorted((brand.id, brand.aliases) for brand in self.config.brands)
        return blake2b(
            repr((brands, sorted(self.config.nlp.words))).encode(), digest_size=4
        ).hexdigest()
