"""A trade as a project of Folate, made with the commands that a person would type."""

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.truth.sets import LabelledBrand, Trade
from benchmarks.truth.weeks import WEEKS, WeeklyTexts
from folate.cli import run_command
from folate.core.labels import SENTIMENT_LABELS
from folate.core.weeks import Week
from folate.pipeline.project import Project
from nlp.stats.estimation import Floats
from reports import queries

TIMEZONE = "UTC"
SOURCE_NAME = "posts"
LABELS_PER_AUDIT = 50
SALT = "the same in every run, since the bootstrap of a report draws authors by their hashes"

_COUNTED_POSTS_QUERY = """
SELECT brand, week, id, negative, neutral, positive FROM ({rows})
WHERE counted AND negative IS NOT NULL ORDER BY id
""".strip()


@dataclass(frozen=True)
class CountedPosts:
    """The posts that a report counts of a brand in a week: labels of people, and posteriors."""

    labels: tuple[str, ...]
    posteriors: Floats = field(repr=False)  # (posts, 3) negative, neutral, positive

    @property
    def true_shares(self) -> Floats:
        """The shares (3,) of the labels, in the order of SENTIMENT_LABELS."""
        return np.array([self.labels.count(label) for label in SENTIMENT_LABELS]) / len(self.labels)


@dataclass(frozen=True)
class TradeProject:
    """The project of a trade and the label of each of its posts, by id."""

    folder: Path
    trade: Trade
    labels: Mapping[str, str] = field(repr=False)

    def counted_posts(self) -> dict[tuple[str, Week], CountedPosts]:
        """Load the posts that the reports count, by brand and week."""
        brands = [brand.id for brand in self.trade.brands]
        query = queries.mentions_query(brands, WEEKS, TIMEZONE)
        table = (
            Project.open(self.folder).store.snapshot().sql(_COUNTED_POSTS_QUERY.format(rows=query))
        )
        posts: dict[tuple[str, Week], list[dict[str, Any]]] = {}
        for row in table.to_pylist():
            posts.setdefault((row["brand"], Week.parse(row["week"])), []).append(row)
        return {cell: self._make_counted_posts(rows) for cell, rows in posts.items()}

    def _make_counted_posts(self, rows: Sequence[Mapping[str, Any]]) -> CountedPosts:
        labels = tuple(self.labels[row["id"]] for row in rows)
        posteriors = [[row[label] for label in SENTIMENT_LABELS] for row in rows]
        return CountedPosts(labels, np.array(posteriors))

    def write_report(self, week: Week) -> dict[str, Any]:
        """Write the report of a week; returns its JSON."""
        folder = self.folder / "reports"
        run_folate(
            self.folder, "report", "--week", str(week), "--format", "json", "-o", str(folder)
        )
        document: dict[str, Any] = json.loads((folder / f"{week}.json").read_text(encoding="utf-8"))
        return document

    def make_audited_copy(self, folder: Path, week: Week) -> "TradeProject":
        """Copy the project to `folder` and audit LABELS_PER_AUDIT posts of each brand there.

        A folder that is there already is replaced.
        """
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        for number, brand in enumerate(self.trade.brands):
            self._audit(folder, brand.id, week, folder / f"audit-{number}.csv")
        return TradeProject(folder, self.trade, self.labels)

    def _audit(self, folder: Path, brand: str, week: Week, sample: Path) -> None:
        """Draw posts of a brand, label them as people did, and read the labels."""
        options = ("--brand", brand, "--week", str(week), "--n", str(LABELS_PER_AUDIT))
        run_folate(folder, "audit", *options, "--export", str(sample))
        labels = self._true_labels(folder)
        with sample.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            rows = list(reader)
        with sample.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(row | {"label": labels[row["item"]]} for row in rows)
        run_folate(folder, "audit", "--import", str(sample))

    def _true_labels(self, folder: Path) -> dict[str, str]:
        """Return the true label of each audited text, by its item in the file."""
        audited_texts = (
            Project.open(folder)
            .store.snapshot()
            .sql(
                "SELECT a.draw, a.place, any_value(p.id) AS id "
                "FROM audits a JOIN posts p USING (text_hash) GROUP BY ALL"
            )
        )
        return {
            f"{row['draw']}:{row['place']}": self.labels[row["id"]]
            for row in audited_texts.to_pylist()
        }


def build_trade_project(
    trade: Trade, weeks: Mapping[str, Sequence[WeeklyTexts]], work: Path, threads: int
) -> TradeProject:
    """Make the project of a trade under `work`, import its posts and annotate them.

    Of a project of the same posts that is there already only what a new model must read again is
    annotated. `weeks` are those of each brand by its id.
    """
    posts: list[tuple[dict[str, Any], str]] = []
    for brand in trade.brands:
        posts += _make_posts(trade, brand, weeks[brand.id])
    settings = _format_settings(trade, threads)
    lines = "".join(json.dumps(post, ensure_ascii=False) + "\n" for post, _ in posts)
    digest = blake2b((settings + lines).encode(), digest_size=5).hexdigest()
    folder = work / f"{trade.name.replace(' ', '-')}-{digest}"
    finished = folder / "imported"
    if not finished.exists():
        shutil.rmtree(folder, ignore_errors=True)
        run_folate(folder, "init")
        (folder / "folate.toml").write_text(settings, encoding="utf-8")
        (folder / ".salt").write_text(SALT, encoding="ascii")
        (folder / "posts.jsonl").write_text(lines, encoding="utf-8")
        run_folate(
            folder,
            "import",
            str(folder / "posts.jsonl"),
            "--source",
            SOURCE_NAME,
            "--kind",
            trade.kind,
        )
        finished.touch()
    run_folate(folder, "annotate")
    return TradeProject(
        folder, trade, {f"{SOURCE_NAME}:{post['id']}": label for post, label in posts}
    )


def run_folate(folder: Path, *arguments: str) -> str:
    """Run a command on the project in `folder`; returns what it prints.

    Raises RuntimeError with what it said when it fails.
    """
    output = StringIO()
    errors = StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = run_command([*arguments, "--project", str(folder)])
    if code:
        raise RuntimeError(
            f"'folate {' '.join(arguments)}' ended with exit code {code}: "
            f"{errors.getvalue().strip()}"
        )
    return output.getvalue()


def _format_settings(trade: Trade, threads: int) -> str:
    """Return the folate.toml of a trade."""
    # A JSON string or list of strings is one of TOML.
    quoted = json.dumps
    lines = [f"name = {quoted(trade.name)}", f'timezone = "{TIMEZONE}"']
    for number, brand in enumerate(trade.brands):
        names = quoted(list(brand.names), ensure_ascii=False)
        own_line = ["own = true"] if number == 0 else []
        lines += [
            "[[brands]]",
            f"id = {quoted(brand.id, ensure_ascii=False)}",
            f"names = {names}",
            *own_line,
        ]
    return "\n".join([*lines, "[nlp]", f"threads = {threads}", ""])


def _make_posts(
    trade: Trade, brand: LabelledBrand, weeks: Sequence[WeeklyTexts]
) -> list[tuple[dict[str, Any], str]]:
    """Make the posts of a brand with their labels, each by another author, evenly over the week."""
    brand_index = trade.brands.index(brand)
    posts: list[tuple[dict[str, Any], str]] = []
    for weekly in weeks:
        start, stop = weekly.week.bounds(TIMEZONE)
        step = (stop - start - timedelta(hours=1)) / len(weekly.texts)
        for number, labelled in enumerate(weekly.texts):
            key = f"{brand_index}-{weekly.week}-{number}"
            post = {
                "id": key,
                "author": f"author {key}",
                "published_at": (start + number * step).isoformat(timespec="seconds"),
                "text": labelled.text,
            }
            posts.append(
                (post | ({"subject": brand.subject} if brand.subject else {}), labelled.label)
            )
    return posts
