"""Part of speech and lemma: golden pairs, hostile texts, and training on a small treebank."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.text.segment import Segmenter
from nlp.text.tagging import LEMMA_RULES_FILE, WordTagger, dictionary_tag, lemmatize
from training import words as training

GOLDEN = Path(__file__).parents[1] / "golden" / "words.txt"
TRICKY = "叶酸 iphone'.@#[]()…，。😀\u200d\ufe0f\ud83d買ＡＢ1２.5kg\u0301İ㎏\n\u3000한あ"

EWT = """# text = I don't eat boxes.
1	I	I	PRON	_	_	0	_	_	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	_	_	0	_	_	_
3	n't	not	PART	_	_	0	_	_	_
4	eat	eat	VERB	_	_	0	_	_	_
4.1	eat	eat	VERB	_	_	0	_	_	_
5	boxes	box	NOUN	_	_	0	_	_	SpaceAfter=No
6	.	.	PUNCT	_	_	0	_	_	_

"""
UDC = """1	孕妇	_	NOUN	NN	_	2	_	_	_
2	和	_	CONJ	CC	_	2	_	_	_
3	Vitamin	_	X	FW	_	2	_	_	_
4	C	_	X	FW	_	2	_	_	_

"""


def _golden() -> list[tuple[tuple[str, ...], str, str]]:
    names: tuple[str, ...] = ()
    pairs = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("%"):
            names = tuple(name.strip() for name in line[1:].split(",") if name.strip())
        elif line and not line.startswith("# "):
            text, _, expected = line.partition(" => ")
            pairs.append((names, text, expected))
    return pairs


@pytest.mark.parametrize(("names", "text", "expected"), _golden())
def test_golden(names: tuple[str, ...], text: str, expected: str) -> None:
    [words] = WordTagger(Segmenter(names), names).tag_words([text])
    assert (
        " ".join(f"{word.text}/{word.pos or '-'}/{word.lemma or '-'}" for word in words) == expected
    )


@settings(deadline=None)  # the first one loads the tagger
@given(
    st.lists(st.text(st.one_of(st.characters(), st.sampled_from(TRICKY)), max_size=40), max_size=3)
)
def test_words_are_the_segmenters_tokens_whatever_the_text(texts: list[str]) -> None:
    segmenter = Segmenter()
    read = WordTagger(segmenter).tag_words(texts)
    assert [[word[:3] for word in words] for words in read] == [
        [tuple(token) for token in segmenter.tokens(text)] for text in texts
    ]


def test_a_long_text_is_read_in_parts() -> None:
    [words] = WordTagger(Segmenter()).tag_words(["好吃 " * 3000])
    assert len(words) == 3000
    assert {word.lemma for word in words} == {"好吃"}
    assert "PUNCT" not in {word.pos for word in words}


def test_a_chinese_word_has_the_tag_of_the_dictionary() -> None:
    assert dictionary_tag("孕妇") == "n"
    assert dictionary_tag("孕妇吃") == "n+v"


def test_the_longest_ending_decides_on_a_lemma() -> None:
    endings = {"NOUN": {"s": (1, ""), "es": (2, ""), "ies": (3, "y"), "^series": (0, "")}}
    lemma_by_word = {
        "cats": "cat",
        "boxes": "box",
        "berries": "berry",
        "series": "series",
        "s": "s",
        "sheep": "sheep",
    }
    assert {word: lemmatize(word, "NOUN", endings) for word in lemma_by_word} == lemma_by_word
    assert lemmatize("cats", "VERB", endings) == "cats"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for file in (*training.TRAIN_TREEBANKS, *training.DEV_TREEBANKS.values()):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        part = EWT if path.suffix == ".conllu" else UDC
        path.write_text(
            part
            if file in training.DEV_TREEBANKS.values()
            else part + part.replace("eat", "buy").replace("孕妇", "晨谷"),
            encoding="utf-8",
        )
    return tmp_path


def test_treebanks_give_words_with_the_spaces_between_them(data: Path) -> None:
    [english], [chinese] = (
        list(training.read_conllu(data / training.DEV_TREEBANKS[name]))
        for name in ("EWT", "UD Chinese")
    )
    assert training.sentence_text(english) == "I don't eat boxes. "
    assert [(word.pos, word.lemma) for word in english[1:3]] == [("AUX", "do"), ("PART", "not")]
    assert training.sentence_text(chinese) == "孕妇和Vitamin C"
    assert (chinese[1].pos, chinese[1].lemma) == ("CCONJ", None)


def test_training_writes_a_tagger_and_lemmas_and_leaves_dev_sentences_out(
    data: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    out = tmp_path / "model"
    monkeypatch.setattr(
        "sys.argv", ["words", "--data", str(data), "--out", str(out), "--epochs", "2"]
    )
    training.main()
    assert "3 that a dev split has too are left out" in capsys.readouterr().err
    assert json.loads((out / LEMMA_RULES_FILE).read_text(encoding="utf-8"))["NOUN"]["^boxes"] == [
        2,
        "",
    ]
    [words] = WordTagger(Segmenter(), folder=out).tag_words(["I buy boxes"])
    assert words[-1].lemma == "box" if words[-1].pos == "NOUN" else words[-1].lemma == "boxes"


def test_scores_stand_beside_baselines(data: Path) -> None:
    weibo = data / training.WEIBO_SEGMENTATION_FILE
    weibo.parent.mkdir(parents=True)
    weibo.write_text("孕妇 要 吃 叶酸\n", encoding="utf-8")
    made = {row.score.name: row for row in training.score_word_analysis(data)}
    assert list(made) == [
        "EWT part of speech",
        "EWT lemma",
        "Tweebank part of speech",
        "UD Chinese part of speech",
        "NLPCC 2016 Weibo words",
    ]
    assert made["EWT part of speech"].aligned_share == 1
    assert made["EWT lemma"].score.n == 6
    assert made["EWT lemma"].baselines == {"most frequent": 1}
    assert (
        made["NLPCC 2016 Weibo words"].score.value
        == made["NLPCC 2016 Weibo words"].baselines["jieba"]
        == 1
    )
    assert training.score_word_analysis(data / "nowhere") == []
