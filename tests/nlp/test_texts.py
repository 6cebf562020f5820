"""The whole reading of a batch."""

from folate.core.config import Brand
from nlp.annotate import TextAnnotation, annotate_texts
from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.segments import SegmentDetector
from nlp.text.duplicates import exact_digest
from nlp.text.segment import Segmenter

BODY = "我怀孕了\n買 晨谷葉酸片，I love it #备孕# 😋"


def test_one_reading_a_body_in_order() -> None:
    segmenter, linker = Segmenter(["晨谷"]), BrandLinker([Brand(id="morn", names=("晨谷",))])
    first, second, third = annotate_texts([BODY, "", BODY], segmenter, linker, SegmentDetector())
    assert first == third
    assert first == TextAnnotation(
        language="mixed",
        words=["我", "怀孕", "了", "买", "晨谷", "叶酸片", "i", "love", "it", "#备孕", "😋"],
        starts=[0, 1, 3, 5, 7, 9, 13, 15, 20, 23, 28],
        lengths=[1, 2, 1, 1, 2, 3, 1, 4, 2, 4, 1],
        hashtags=["备孕"],
        exact=exact_digest(BODY),
        mentions=[Mention("morn", 7, 9)],
        comparisons=[],
        segments=["pregnant"],
    )
    assert second == TextAnnotation("other", [], [], [], [], exact_digest(""), [], [], [])


def test_two_brands_compared() -> None:
    brands = [Brand(id="morn", names=("晨谷",)), Brand(id="wheat", names=("麦田",))]
    [reading] = annotate_texts(
        ["从晨谷换到麦田了"], Segmenter([]), BrandLinker(brands), SegmentDetector()
    )
    assert [(found.brand, found.other, found.kind) for found in reading.comparisons] == [
        ("wheat", "morn", "switch")
    ]
