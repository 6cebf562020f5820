"""The corpus of a project: one object that answers a researcher's questions."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from corpora.index.index import open_index
from corpora.index.versions import version_name
from corpora.search.view import CorpusView
from corpora.store.store import STORE_FOLDER, Store
from folate.core.config import load_config

if TYPE_CHECKING:
    from corpora.answers.answer import Answer
    from corpora.answers.collocates import CollocateSort
    from corpora.answers.compare import PartField
    from corpora.answers.keyness import KeynessSort
    from corpora.answers.ngrams import NgramSort
    from corpora.answers.parts import PartKind
    from corpora.answers.similar import QuestionVector
    from corpora.answers.words import WordForm
    from corpora.index.vectors import CorpusVectors, VectorModel
    from nlp.questions import QuestionEmbedder


class Corpus(CorpusView):
    """The questions that can be asked of a corpus. `Corpus.open` makes one for a project."""

    index_note: str | None = None
    """Why the index was built anew when the corpus was opened, if it was."""
    folder = Path()
    """The folder of the project."""
    is_newest = True
    """Whether the corpus was opened as it is now."""
    embedder: "QuestionEmbedder | None" = None
    """Embeds questions by meaning; it is loaded with the first one."""

    @classmethod
    def open(cls, folder: str | Path, at: str | None = None) -> "Corpus":
        """Open the corpus of the project in `folder`, at a version or as it is now.

        The index is brought up to date first. Raises ConfigError, StoreError, NotFound (a version
        that is gone).
        """
        project_folder = Path(folder)
        config = load_config(project_folder)
        store = Store(project_folder / STORE_FOLDER)
        index = open_index(project_folder, store, config, at)
        version = version_name(index.versions)
        corpus = cls(config, index.snapshot, index.segments, index.lexicon, version)
        corpus.index_note = index.note
        corpus.folder = project_folder
        corpus.is_newest = at is None
        return corpus

    def kwic(
        self,
        query: str,
        *,
        context: int = 40,
        sort: str = "date",
        sample: int | None = None,
        seed: int = 0,
        limit: int | None = None,
        show: Sequence[str] = (),
    ) -> "Answer":
        """Return the concordance of a query: its hits with the text around them.

        `context`: characters on each side. `sort`: by "left", "right", "hit", "date", or metadata
        such as "source". `sample`: so many random hits. `show`: metadata in columns of their own,
        such as ["source", "week", "brand"]. Lines are read when they are needed. Raises InputError.
        """
        from corpora.answers.concordance import ConcordanceRequest, concordance

        request = ConcordanceRequest(context, sort, sample, seed, limit, tuple(show))
        return concordance(self, query, request)

    def groups(self, query: str, by: str, limit: int | None = None) -> "Answer":
        """Return the groups of the hits of a query, the largest first.

        `by` is "left" or "right" (the word next to the hit), "hit", or metadata such as "source".
        Raises InputError.
        """
        from corpora.answers.hit_groups import grouped_hits

        return grouped_hits(self, query, by, limit)

    def count(self, *queries: str, by: str | Sequence[str] = ()) -> "Answer":
        """Return the posts, hits and authors of queries, by metadata if wanted. Raises InputError.

        >>> corpus.count("叶酸", "folic acid", by=["week", "brand"])  # doctest: +SKIP
        """
        from corpora.answers.counts import count_queries

        return count_queries(self, queries, [by] if isinstance(by, str) else by)

    def trend(
        self, query: str, by: str | None = None, step: Literal["week", "day"] = "week"
    ) -> "Answer":
        """Return the hits of a query week by week or day by day, with intervals and gaps.

        `by` splits it by metadata, such as "brand". `.plot()` draws it. Raises InputError.
        """
        from corpora.answers.trend import trend

        return trend(self, query, by, step)

    def sample(self, query: str, count: int, seed: int = 0, show: Sequence[str] = ()) -> "Answer":
        """Return `count` random posts of a query, the same on every machine. Raises InputError."""
        from corpora.answers.sample import sample_posts

        return sample_posts(self, query, count, seed, show)

    def collocates(
        self,
        query: str,
        *,
        window: tuple[int, int] = (5, 5),
        min_observed: int = 3,
        form: "WordForm" = "word",
        sort: "CollocateSort" = "log_dice",
        limit: int = 50,
    ) -> "Answer":
        """Return the words that are near the hits of a query, the most typical first.

        `window`: words before a hit and after it. `min_observed`: least occurrences near hits.
        `form`: "word" or "lemma". `limit`: rows, 0 for all. `.plot()` draws it. Raises InputError.
        """
        from corpora.answers.collocates import collocates

        return collocates(
            self,
            query,
            window=window,
            min_observed=min_observed,
            form=form,
            sort=sort,
            limit=limit,
        )

    def keyness(
        self,
        focus: str,
        reference: str | None = None,
        *,
        min_authors: int = 5,
        form: "WordForm" = "word",
        sort: "KeynessSort" = "conservative",
        limit: int = 50,
    ) -> "Answer":
        """Return the words that surely more authors use in the posts of a query than in others.

        Without a reference, the others are all other posts. `.plot()` draws it. Raises InputError.
        """
        from corpora.answers.keyness import keyness

        return keyness(
            self,
            focus,
            reference,
            min_authors=min_authors,
            form=form,
            sort=sort,
            limit=limit,
        )

    def ngrams(
        self,
        query: str | None = None,
        *,
        lengths: tuple[int, int] = (2, 2),
        containing: str | None = None,
        min_frequency: int = 3,
        by: "NgramSort" = "frequency",
        terms_only: bool = False,
        limit: int = 50,
    ) -> "Answer":
        """Return the most frequent stretches of words in the posts of a query, or in all posts.

        `lengths`: least and most words. `terms_only`: none that begins or ends with a function
        word. `.plot()` draws it. Raises InputError.
        """
        from corpora.answers.ngrams import ngrams

        return ngrams(
            self,
            query,
            lengths=lengths,
            containing=containing,
            min_frequency=min_frequency,
            by=by,
            terms_only=terms_only,
            limit=limit,
        )

    def dispersion(
        self, query: str, *, over: Sequence["PartKind"] = ("authors", "sources", "weeks")
    ) -> "Answer":
        """Return how evenly the hits of a query are spread over parts. Raises InputError."""
        from corpora.answers.dispersion import dispersion

        return dispersion(self, query, over=over)

    def word_dispersion(
        self,
        query: str | None = None,
        *,
        over: "PartKind" = "authors",
        form: "WordForm" = "word",
        limit: int = 50,
    ) -> "Answer":
        """Return how evenly the most frequent words are spread over parts. Raises InputError."""
        from corpora.answers.dispersion import word_dispersion

        return word_dispersion(self, query, over=over, form=form, limit=limit)

    def cooccurrence(
        self,
        query: str | None = None,
        *,
        top: int = 100,
        min_posts: int = 3,
        form: "WordForm" = "word",
        limit: int = 0,
    ) -> "Answer":
        """Return the pairs of words that are in the same posts more than by chance.

        They are pairs of the `top` words of most authors. Raises InputError.
        """
        from corpora.answers.cooccurrence import cooccurrence

        return cooccurrence(self, query, top=top, min_posts=min_posts, form=form, limit=limit)

    def compare(
        self,
        *queries: str,
        by: Sequence["PartField"] = ("source", "week"),
        all_parts: bool = False,
    ) -> "Answer":
        """Return how often queries match, beside the first of them, and where that differs.

        Raises InputError.
        """
        from corpora.answers.compare import compare

        return compare(self, queries, by=by, all_parts=all_parts)

    def label(
        self,
        query: str,
        *,
        name: str,
        rater: str,
        belongs: bool = True,
        sample: int | None = None,
        seed: int = 0,
    ) -> int:
        """Put every line of a query that the rater has not labelled yet into a group, or out of it.

        Returns how many lines are new. Open the corpus again to ask for `label:NAME`. Raises
        InputError, StoreError.
        """
        from corpora.answers.label_lines import label_lines

        store = Store(self.folder / STORE_FOLDER)
        return label_lines(
            self, store, query, (name, rater), belongs, sample_size=sample, seed=seed
        )

    def labels(self, name: str | None = None, rater: str | None = None) -> "Answer":
        """Return the labels of a group and a rater, or of all, one a row. Raises InputError."""
        from corpora.answers.label_tables import labels_answer

        return labels_answer(self, name, rater)

    def agreement(self, name: str) -> "Answer":
        """Return how far each two raters of a group agree (Cohen's kappa). Raises InputError."""
        from corpora.answers.label_tables import agreement_answer

        return agreement_answer(self, name)

    def similar(
        self,
        text: str = "",
        *,
        like: str = "",
        within: str | None = None,
        top: int = 20,
        show: Sequence[str] = (),
    ) -> "Answer":
        """Return the posts that are the most similar in meaning, in both languages.

        They are similar to a text, or to the post with the id `like`. `within`: a query that they
        must match. Copies are shown once. `show`: further metadata. Raises InputError, NotFound.
        """
        from corpora.answers.similar import SimilarRequest, VectorAccess, similar_posts

        request = SimilarRequest(text, like, within, top, tuple(show))
        return similar_posts(self, request, VectorAccess(self._open_vectors, self._embed))

    @cached_property
    def _vectors(self) -> "dict[VectorModel, CorpusVectors]":
        return {}

    def _open_vectors(self, model: "VectorModel") -> "CorpusVectors":
        """Return the vectors of a model at the version of this corpus. Raises StoreError."""
        from corpora.index.vectors import VECTORS_FOLDER, open_vectors

        if model not in self._vectors:
            self._vectors[model] = open_vectors(
                self.folder / VECTORS_FOLDER,
                self.folder / STORE_FOLDER,
                self.snapshot,
                model,
                is_newest=self.is_newest,
            )
        return self._vectors[model]

    def _embed(self, text: str) -> "QuestionVector":
        """Embed a question by the model of the project, which is loaded with the first.

        Raises ConfigError, InputError.
        """
        from corpora.answers.similar import QuestionVector
        from corpora.index.vectors import VectorModel

        # torch takes a second, and only questions by meaning need it: see the contracts of imports
        from nlp.questions import load_question_embedder

        if self.embedder is None:
            self.embedder = load_question_embedder(self.config)
        model = VectorModel(self.embedder.annotator, self.embedder.version)
        return QuestionVector(self.embedder.embed(text), model)
