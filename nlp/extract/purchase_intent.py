"""Purchase intent: signals of a post, each with the points that the project's file sets.

`nlp/data/signals.toml` has the wordings of signals; probabilities of the model and stated switches
are signals as well.
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

MIN_INTENT_PROBABILITY = 0.5  # of an intent that counts as a signal
INTENT_SIGNALS = {"buy": "wants", "ask": "asks", "complain": "complains"}
_FILE = Path(__file__).parents[1] / "data" / "signals.toml"
_GUARD_LENGTH = 30  # characters before a wording that are searched for what denies it
_SENTENCE_END = re.compile(r"[。!?！？;；\n]|\.(?=\s|$)")


class PurchaseSignal(NamedTuple):
    """Something in a post that speaks for or against a purchase."""

    kind: str
    points: float
    start: int | None = None
    """With `end` the span of the words, in code points; None where the model found the signal."""
    end: int | None = None
    brand: str | None = None
    """The brand that the signal is about, where the signal itself says so."""


def find_purchase_signals(
    text: str,
    scorecard: Scorecard,
    intent_probabilities: Mapping[str, float] | None = None,
    comparisons: Sequence[Comparison] = (),
) -> list[PurchaseSignal]:
    """Return the signals of one post in the order of the scorecard, those without points left out.

    Each kind counts once, a switch once a brand. `intent_probabilities` are the model's by name of
    the intent, empty where there are none. What is quoted of others behind `//@` does not count.
    """
    folded = fold_text(strip_reposts(text))
    signals = []
    for kind in _wordings():
        span = _first_wording(folded, kind)
        if span:
            signals.append(PurchaseSignal(kind, getattr(scorecard, kind), *span))
    worded_kinds = {signal.kind for signal in signals}
    predicted_kinds = _predicted_kinds(intent_probabilities or {})
    other_kinds = sorted(predicted_kinds - worded_kinds)
    signals += [PurchaseSignal(kind, getattr(scorecard, kind)) for kind in other_kinds]
    for comparison in comparisons:
        if comparison.kind == "switch":
            signals += _switch_signals(comparison, scorecard)
    return [signal for signal in signals if signal.points]


def _predicted_kinds(intent_probabilities: Mapping[str, float]) -> set[str]:
    """Return the kinds of signals that the model's probabilities give."""
    return {
        INTENT_SIGNALS[intent]
        for intent, probability in intent_probabilities.items()
        if intent in INTENT_SIGNALS and probability >= MIN_INTENT_PROBABILITY
    }


def _switch_signals(switch: Comparison, scorecard: Scorecard) -> list[PurchaseSignal]:
    """Return the signal for the brand moved to and the one for the brand left."""
    start = switch.start
    end = switch.end
    return [
        PurchaseSignal("switches", scorecard.switches, start, end, switch.brand),
        PurchaseSignal("leaves", scorecard.leaves, start, end, switch.other),
    ]


def signals_by_brand(
    text: str,
    signals: Sequence[PurchaseSignal],
    mentions: Sequence[Mention],
    page_brands: Sequence[str] = (),
) -> dict[str, list[PurchaseSignal]]:
    """Return brand -> its signals, each kind once.

    A signal is for the brand that it names itself; else for the brands named in its sentence; else
    for all that the post names and for those its page is about.
    """
    all_brands = [mention.brand for mention in mentions] + list(page_brands)
    signals_of: dict[str, list[PurchaseSignal]] = {}
    for signal in signals:
        near = [mention.brand for mention in mentions if _same_sentence(text, signal, mention)]
        brands = [signal.brand] if signal.brand else near or all_brands
        for brand in dict.fromkeys(brands):
            brand_signals = signals_of.setdefault(brand, [])
            if signal.kind not in {brand_signal.kind for brand_signal in brand_signals}:
                brand_signals.append(signal)
    return signals_of


def _same_sentence(text: str, signal: PurchaseSignal, mention: Mention) -> bool:
    if signal.start is None or signal.end is None:
        return False
    between = text[min(signal.end, mention.end) : max(signal.start, mention.start)]
    return not _SENTENCE_END.search(between)


def _first_wording(folded: str, kind: str) -> tuple[int, int] | None:
    """Return the span of the first wording of a signal that no guard before it denies."""
    pattern, unless_before = _wordings()[kind]
    for match in pattern.finditer(folded):
        before = folded[max(0, match.start() - _GUARD_LENGTH) : match.start()]
        if not (unless_before and unless_before.search(before)):
            return match.span()
    return None


@cache
def _wordings() -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str] | None]]:
    """Return signal -> (its wordings, what denies it when before it)."""
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    wordings = {}
    for kind, entry in table.items():
        unless_before = re.compile("|".join(entry["unless"])) if entry["unless"] else None
        wordings[kind] = (re.compile("|".join(entry["patterns"])), unless_before)
    return wordings
