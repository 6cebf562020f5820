"""The whole reading of a batch."""

from folate.core.config import Brand
from nlp.annotate import TextAnnotation, annotate_texts
from nlp.extract.brands import BrandLinker, Mention
from nlp.text.duplicates import exact_digest
from nlp.text.segment import Segmenter

BODY = "孕期\n買了晨谷葉酸片，I love it #备孕# 😋"


def test_one_reading_a_body_in_order() -> None:
    segmenter, linker = Segmenter(["晨谷"]), BrandLinker([Brand(id="morn", names=("晨谷",))])
    first, second, third = annotate_texts([BODY, "", BODY], segmenter, linker)
    words = ["孕期", "买", "了", "晨谷", "叶酸片", "i", "love", "it", "#备孕", "😋"]
    assert (
        first
        == third
        == TextAnnotation("mixed", words, ["备孕"], exact_digest(BODY), [Mention("morn", 5, 7)], [])
    )
    assert second == TextAnnotation("other", [], [], exact_digest(""), [], [])


def test_two_brands_compared() -> None:
    brands = [Brand(id="morn", names=("晨谷",)), Brand(id="wheat", names=("麦田",))]
    [reading] = annotate_texts(["从晨谷换到麦田了"], Segmenter([]), BrandLinker(brands))
    assert [(found.brand, found.other, found.kind) for found in reading.comparisons] == [
        ("wheat", "morn", "switch")
    ]
