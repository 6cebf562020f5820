"""Messages: both languages have the same keys, and templates use no others."""

import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from folate.core.config import REPORT_LANGUAGES
from folate.core.errors import ConfigError
from folate.core.weeks import Week
from reports.figures import MEASURE_UNITS, Figure
from reports.messages import load_messages

TEMPLATE = Path(__file__).parents[2] / "reports" / "templates" / "report.html.j2"


def flatten_messages(messages: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(messages, str):
        return {prefix: messages}
    texts = {}
    for key, value in messages.items():
        texts.update(flatten_messages(value, f"{prefix}.{key}"))
    return texts


def find_placeholders(message: str) -> set[str]:
    return {f"{field}:{style}" for _, field, style, _ in Formatter().parse(message) if field}


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    en, zh = (flatten_messages(load_messages(language).sections) for language in ("en", "zh"))
    assert en.keys() == zh.keys()
    assert [key for key in en if find_placeholders(en[key]) != find_placeholders(zh[key])] == []
    assert all(text.strip() for text in [*en.values(), *zh.values()])


@pytest.mark.parametrize("language", REPORT_LANGUAGES)
def test_every_measure_has_a_name_and_a_definition(language: str) -> None:
    message = load_messages(language)
    assert set(message.sections["measure"]) == set(MEASURE_UNITS)
    assert message.measure("mentions") in message.measure("mentions.change")
    assert message.measure("mentions", "definition") in message.measure(
        "mentions.detectable", "definition"
    )


def test_the_page_asks_for_no_word_that_is_not_there() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATE.parent.glob("*.j2"))
    keys = set(re.findall(r'message(?:\.parts)?\("([a-z]+\.[a-z_]*[a-z])"', text))
    assert len(keys) > 30
    assert {f".{key}" for key in keys} <= flatten_messages(load_messages("en").sections).keys()


def test_no_word_is_left_over() -> None:
    """Find each message of these sections in a template or a module."""
    paths = [*TEMPLATE.parent.glob("*.j2"), *TEMPLATE.parents[1].rglob("*.py")]
    used = "".join(path.read_text(encoding="utf-8") for path in paths)
    message = load_messages("en")
    keys = [
        f"{section}.{name}"
        for section in ("page", "fragment", "join", "headline")
        for name in message.sections[section]
    ]
    assert [
        key for key in keys if key not in used and not key.startswith(("page.method_", "headline."))
    ] == []


def test_unknown_language() -> None:
    with pytest.raises(ConfigError, match="wanted a report in zh or en, got 'fr'"):
        load_messages("fr")


@pytest.mark.parametrize(
    ("measure", "value", "en", "zh"),
    [
        ("mentions", 12345, "12,345", "12,345"),
        ("share_of_voice", 0.3125, "31.2%", "31.2%"),
        ("net_sentiment_polar", 0.123, "+12.3", "+12.3"),
        ("net_sentiment_polar", -0.123, "−12.3", "−12.3"),
        ("net_sentiment_polar", -0.0001, "0.0", "0.0"),
        ("rating", 0.8, "80.0 of 100", "80.0（满分 100）"),
        ("mentions.change", 1.4, "+140%", "+140%"),
        ("share_of_voice.change", -0.031, "−3.1 points", "−3.1 个百分点"),
        ("topic_gain", 14.44, "14.4 times", "14.4 倍"),
        ("rating", None, "not measured", "未测得"),
    ],
)
def test_numbers(measure: str, value: float | None, en: str, zh: str) -> None:
    figure = Figure(
        measure=measure, week="2026-W10", value=value, n=1, query="SELECT 1", versions="{}"
    )
    assert (load_messages("en").number(figure), load_messages("zh").number(figure)) == (en, zh)


def test_days() -> None:
    assert load_messages("en").days(Week(2026, 10)) == "2 March 2026 to 8 March 2026"
    assert load_messages("zh").days(Week(2026, 10)) == "2026年3月2日 至 2026年3月8日"


def test_what_the_data_names_and_the_catalogue_does_not_is_shown_as_it_is() -> None:
    assert load_messages("zh").word("flag", "one source") == "仅来自一个来源"
    assert load_messages("zh").word("flag", "a new kind of flag") == "a new kind of flag"
