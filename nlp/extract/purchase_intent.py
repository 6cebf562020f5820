"""Purchase intent as a scorecard: signals that a post gives, each with the points that the project's file sets.

`nlp/data/signals.toml` says how signals are worded; the model's probabilities and stated switches are signals as well.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from folate.core.config import Scorecard
from nlp.extract.brands import Mention
from nlp.extract.comparisons import Comparison
from nlp.extract.segments import strip_reposts
from nlp.text.normalize import fold_text

MIN_INTENT_PROBABILITY = 0.5  # least probability of an intent that counts
INTENT_SIGNALS = {"buy": "wants", "ask": "asks", "complain": "complains"}
_FILE = Path(__file__).parents[1] / "data" / "signals.toml"
_SENTENCE_END = re.compile(r"[。!?！？;；\n]|\.(?=\s|$)")


class PurchaseSignal(NamedTuple):
    """Something in a post that speaks for or against a purchase.

    `start` and `end` span the words that say it, in code points; missing where the model judges the post as a whole. `brand`: the one
    that it is about, where the signal itself says so.
    """

    kind: str
    points: float
    start: int | None = None
    end: int | None = None
    brand: str | None = None


def find_purchase_signals(
    text: str,
    scorecard: Scorecard,
    intent_probabilities: Mapping[str, float] | None = None,
    comparisons: Sequence[Comparison] = (),
) -> list[PurchaseSignal]:
    """The signals of one post, each kind once (a switch once a brand), in the order of the scorecard.

    `intent`: the model's probabilities by name, empty when it has none. What is quoted of others behind `//@` does not count.
    """
    said = fold_text(strip_reposts(text))
    found = [
        PurchaseSignal(name, getattr(scorecard, name), *span)
        for name in _wordings()
        if (span := _first(said, name))
    ]
    worded = {signal.kind for signal in found}
    judged = {
        INTENT_SIGNALS[name]
        for name, p in (intent_probabilities or {}).items()
        if name in INTENT_SIGNALS and p >= MIN_INTENT_PROBABILITY
    }
    found += [PurchaseSignal(name, getattr(scorecard, name)) for name in sorted(judged - worded)]
    for its in comparisons:
        if its.kind == "switch":
            found.append(
                PurchaseSignal("switches", scorecard.switches, its.start, its.end, its.brand)
            )
            found.append(PurchaseSignal("leaves", scorecard.leaves, its.start, its.end, its.other))
    return [signal for signal in found if signal.points]


def signals_by_brand(
    text: str,
    signals: Sequence[PurchaseSignal],
    mentions: Sequence[Mention],
    page_brands: Sequence[str] = (),
) -> dict[str, list[PurchaseSignal]]:
    """Which brand each signal is for: its own, else those named in its sentence, else all that the post names or is about."""
    brands = dict.fromkeys([mention.brand for mention in mentions] + list(page_brands))
    found: dict[str, list[PurchaseSignal]] = {}
    for signal in signals:
        near = [mention.brand for mention in mentions if _same_sentence(text, signal, mention)]
        for brand in [signal.brand] if signal.brand else dict.fromkeys(near or brands):
            its = found.setdefault(brand, [])
            if signal.kind not in {other.kind for other in its}:
                its.append(signal)
    return found


def _same_sentence(text: str, signal: PurchaseSignal, mention: Mention) -> bool:
    if signal.start is None or signal.end is None:
        return False
    return not _SENTENCE_END.search(
        text[min(signal.end, mention.end) : max(signal.start, mention.start)]
    )


def _first(said: str, name: str) -> tuple[int, int] | None:
    """The first place where a signal is worded and not denied."""
    pattern, unless = _wordings()[name]
    for match in pattern.finditer(said):
        if not (unless and unless.search(said[max(0, match.start() - 30) : match.start()])):
            return match.span()
    return None


@cache
def _wordings() -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str] | None]]:
    """Signal -> (what says it, what before it denies it)."""
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: (
            re.compile("|".join(entry["patterns"])),
            re.compile("|".join(entry["unless"])) if entry["unless"] else None,
        )
        for name, entry in table.items()
    }
