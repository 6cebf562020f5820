"""`folate similar` with the shipped model: a question in one language finds posts in the other."""

from pathlib import Path

import pytest

from corpora.corpus import Corpus
from folate.pipeline.annotate.run import annotate_corpus
from tests.folate.project import create_project, forum_posts

# A question, and the post in the other language that answers it best.
PAIRS = {
    "客服一直不回复我的邮件": "The support team never answered my emails",
    "包装破了，牛奶漏了一箱": "The box arrived crushed and the milk leaked everywhere",
    "The battery dies before lunch": "电池半天就没电了",
    "Far too expensive for what you get": "价格太贵，根本不值",
}
OTHERS = (
    "今天地铁上人好多",
    "We went hiking in the mountains last weekend",
    "这本书的结局让我很意外",
    "The new album is my favourite so far",
)


@pytest.mark.slow
def test_a_question_finds_the_post_of_the_same_meaning_in_the_other_language(
    tmp_path: Path,
) -> None:
    project = create_project(tmp_path)
    texts = [*PAIRS.values(), *OTHERS]
    project.store.upsert_posts(forum_posts(texts))
    annotate_corpus(project)
    corpus = Corpus.open(tmp_path)
    found = {question: corpus.similar(question, top=1).rows[0]["text"] for question in PAIRS}
    assert found == PAIRS
    assert corpus.similar("客服不理人", within="lang:en").rows[0]["text"] == texts[0]
