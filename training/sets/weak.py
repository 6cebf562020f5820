"""Labels by rule for training texts of sets that lack them: sure where a strong pattern holds, absent where nothing hints, else unknown.

They teach only; nothing is measured on them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from folate.core.labels import INTENTS
from training.sets import aspects
from training.sets.samples import NEGATIVE, POSITIVE, Sample

_CONTRAST = re.compile(
    r"但|不过|就是|只是|除了|可惜|虽然|然而|却|\b(?:but|however|although|though|except|while)\b",
    re.IGNORECASE,
)
_RHETORIC = r"难道|怎么能|怎么可以|凭什么|谁不|何必|不是吗|什么玩意|有木有|how can|how could|who doesn|who would|isn't it|guess what"

# intent: (what shows it, what then speaks against it, what hints at it)
_RULES = {
    "buy": (
        r"(?:准备|打算|决定|想|马上|计划|等着)(?:去|再|要)?(?:买|入手|下单|购买|囤)|种草|求链接|我要买"
        r"|\b(?:want|going|gonna|planning|need) to (?:buy|order|get one)|\bwill buy\b|\bpre-?ordered\b|\bcan't wait to (?:buy|get)\b",
        r"不(?:打算|想|准备|会|要|再)|别|后悔|没|never|not|n't (?:want|buy)|regret",
        r"买|入手|下单|剁手|购|种草|想要|订|囤|换|\b(?:buy|order|get|getting|purchase|cart|want|need)\w*",
    ),
    "switch": (
        r"从.{1,8}(?:换成|换到|转到|转投)|(?:以后|现在|已经|果断|决定)(?:改|换)(?:用|喝|买|成)|弃坑|改投"
        r"|\b(?:switched|switching|moved|changed|converted|defected) (?:from \w+ )?(?:over )?to\b.{1,20}"
        r"|\bditch(?:ed|ing)?\b.{1,20}\bfor\b",
        r"换货|换新|轮换|switched (?:on|off)|changed my mind|topic",
        r"换|改|转|弃|代替|替代|以前|\b(?:switch|change|ditch|move|replace|instead|leav|left|swap|trade|convert)\w*",
    ),
    "ask": (
        r"请问|有没有人|有人(?:知道|用过|吃过)|求助|求问|求推荐|求解|请教|谁知道|(?:怎么样|多少钱|怎么办|好不好|是不是真的)[呀啊呢]?[?？]"
        r"|\b(?:does|has|did) any(?:one|body)|\bany(?:one|body) (?:know|tried|else)"
        r"|\bhow (?:do|does|can|much|long) .{3,60}\?|\bwhere can i\b",
        _RHETORIC,
        r"[?？]|吗|呢|怎么|什么|为什么|哪|谁|请|求|多少|几|\b(?:what|how|why|when|where|who|which|any|can|could|does|do|is|are|should|wonder)\b",
    ),
    "complain": (
        r"投诉|举报|维权|曝光|避雷|骗子|黑心|无良|奸商|欺诈|退款.{0,8}(?:没|不)|差评|上当"
        r"|\b(?:refund|scam|ripped off|rip-?off|worst (?:service|experience)|never again|complaint|unacceptable|disgusting service)\b",
        r"零差评|没有?差评|不用投诉|打击|抓|警方|no complaint|not a scam",
        r"差|坏|烂|退|骗|垃圾|坑|恶|怒|气|不|失望|没|无|投诉"
        r"|\b(?:bad|wors|worst|terribl|awful|hat|broken|never|no|not|poor|disappoint|horribl|suck|fail|stupid)\w*|n't",
    ),
}
_COMPILED = {
    name: tuple(re.compile(pattern, re.IGNORECASE) for pattern in _RULES[name]) for name in INTENTS
}
_COMPLAIN = INTENTS.index("complain")


def add_rule_labels(sample: Sample, *, is_review: bool) -> Sample:
    """A training sample with what its set does not say: aspects by its annotated terms or its words, intents by rule."""
    if sample.aspects:
        found = sample
    elif sample.targets:
        found = aspects.label_aspects_by_targets(sample)
    else:
        found = (
            sample
            if is_review
            else replace(sample, absent_aspects=aspects.find_absent_aspects(sample.text))
        )
    return _review(found) if is_review else _post(found)


def _post(sample: Sample) -> Sample:
    """The sample with the intents that the rules see in it."""
    found = tuple(
        (index, has)
        for index, name in enumerate(INTENTS)
        if (has := detect_intent(sample.text, name)) is not None
    )
    return (
        sample
        if sample.intents
        else replace(sample, intents=found, rule_labelled=(*sample.rule_labelled, "intents"))
    )


def _review(sample: Sample) -> Sample:
    """A review of something bought: a negative one complains, a positive one does not; aspects by their words."""
    found = _post(sample)
    if sample.label in (NEGATIVE, POSITIVE):
        others = tuple(pair for pair in found.intents if pair[0] != _COMPLAIN)
        found = replace(found, intents=(*others, (_COMPLAIN, sample.label == NEGATIVE)))
    return found if found.aspects else aspects.label_aspects_by_terms(found, _CONTRAST)


def detect_intent(text: str, intent: str) -> bool | None:
    """Whether the rules see an intent in a text; None where they can't tell."""
    strong, against, hints = _COMPILED[intent]
    if strong.search(text):
        return None if against.search(text) else True
    return None if hints.search(text) else False
