"""The quick test for markup passes every text that has some."""

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.text.markup import MAY_HAVE_MARKUP, strip_markup_aligned

LABELS = (
    "展开全文|收起全文|c|d|转发微博|轉發微博|转发此微博|全文|…|O网页链接|L某人的微博视频"
    "|的秒拍视频|回复|回覆|@名字:|＠a：|查看翻译|翻译推文|显示更多|顯示更多|阅读全文"
    "|查看更多|点击展开|Read more|Show less|see More|See translation|Translate Tweet"
    "|Continue reading|See original|<br>|&amp;|_x000D_|\ufeff|\n| |.|文字"
)
TEXTS = st.lists(st.sampled_from(LABELS.split("|")), max_size=6).map("".join)
# A line that passes the quick test.
PASSING_LINE = "\n文字 &amp;"


@settings(deadline=None)
@given(TEXTS)
def test_every_text_with_markup_passes_in_python_and_in_re2(text: str) -> None:
    passes = MAY_HAVE_MARKUP.search(text) is not None
    found = pc.match_substring_regex(pa.array([text]), MAY_HAVE_MARKUP.pattern)
    assert found.to_pylist() == [passes]
    unfiltered = strip_markup_aligned(text + PASSING_LINE).text
    assert passes or unfiltered == text + "\n文字 &"
