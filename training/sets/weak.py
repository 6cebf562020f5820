"""Labels by rule for training texts of sets that lack them; nothing is measured on them.

Present where a strong pattern matches, absent where nothing hints at it, else unknown.
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
_RHETORIC = (
    r"难道|怎么能|怎么可以|凭什么|谁不|何必|不是吗|什么玩意|有木有"
    r"|how can|how could|who doesn|who would|isn't it|guess what"
)

# intent: (pattern that shows it, pattern that contradicts it, pattern that hints at it)
_RULES = {
    "buy": (
        r"(?:准备|打算|决定|想|马上|计划|等着)(?:去|再|要)?(?:买|入手|下单|购买|囤)|种草|求链接|我要买"
        r"|\b(?:want|going|gonna|planning|need) to (?:buy|order|get one)|\bwill buy\b"
        r"|\bpre-?ordered\b|\bcan't wait to (?:buy|get)\b",
        r"不(?:打算|想|准备|会|要|再)|别|后悔|没|never|not|n't (?:want|buy)|regret",
        r"买|入手|下单|剁手|购|种草|想要|订|囤|换|\b(?:buy|order|get|getting|purchase|cart|want|need)\w*",
    ),
    "switch": (
        r"从.{1,8}(?:换成|换到|转到|转投)|(?:以后|现在|已经|果断|决定)(?:改|换)(?:用|喝|买|成)|弃坑|改投"
        r"|\b(?:switched|switching|moved|changed|converted|defected) (?:from \w+ )?(?:over )?"
        r"to\b.{1,20}"
        r"|\bditch(?:ed|ing)?\b.{1,20}\bfor\b",
        r"换货|换新|轮换|switched (?:on|off)|changed my mind|topic",
        r"换|改|转|弃|代替|替代|以前|\b(?:switch|change|ditch|move|replace|instead|leav|left|swap|trade|convert)\w*",
    ),
    "ask": (
        r"请问|有没有人|有人(?:知道|用过|吃过)|求助|求问|求推荐|求解|请教|谁知道"
        r"|(?:怎么样|多少钱|怎么办|好不好|是不是真的)[呀啊呢]?[?？]"
        r"|\b(?:does|has|did) any(?:one|body)|\bany(?:one|body) (?:know|tried|else)"
        r"|\bhow (?:do|does|can|much|long) .{3,60}\?|\bwhere can i\b",
        _RHETORIC,
        r"[?？]|吗|呢|怎么|什么|为什么|哪|谁|请|求|多少|几"
        r"|\b(?:what|how|why|when|where|who|which|any|can|could|does|do|is|are|should|wonder)\b",
    ),
    "complain": (
        r"投诉|举报|维权|曝光|避雷|骗子|黑心|无良|奸商|欺诈|退款.{0,8}(?:没|不)|差评|上当"
        r"|\b(?:refund|scam|ripped off|rip-?off|worst (?:service|experience)|never again"
        r"|complaint|unacceptable|disgusting service)\b",
        r"零差评|没有?差评|不用投诉|打击|抓|警方|no complaint|not a scam",
        r"差|坏|烂|退|骗|垃圾|坑|恶|怒|气|不|失望|没|无|投诉"
        r"|\b(?:bad|wors|worst|terribl|awful|hat|broken|never|no|not|poor|disappoint|horribl|suck"
        r"|fail|stupid)\w*|n't",
    ),
}
_COMPILED = {
    name: tuple(re.compile(pattern, re.IGNORECASE) for pattern in _RULES[name]) for name in INTENTS
}
_COMPLAIN = INTENTS.index("complain")


def add_rule_labels(sample: Sample, *, is_review: bool) -> Sample:
    """Add labels that a sample's set lacks: aspects by terms or words, intents by rule."""
    if sample.aspects:
        labelled = sample
    elif sample.targets:
        labelled = aspects.label_aspects_by_targets(sample)
    else:
        labelled = (
            sample
            if is_review
            else replace(sample, absent_aspects=aspects.find_absent_aspects(sample.text))
        )
    return _label_review(labelled) if is_review else _add_intents(labelled)


def _add_intents(sample: Sample) -> Sample:
    """Add the intents that the rules detect."""
    if sample.intents:
        return sample
    detected = [(index, detect_intent(sample.text, name)) for index, name in enumerate(INTENTS)]
    intents = tuple((index, has_intent) for index, has_intent in detected if has_intent is not None)
    return replace(sample, intents=intents, rule_labelled=(*sample.rule_labelled, "intents"))


def _label_review(sample: Sample) -> Sample:
    """Label a review: a negative one complains, a positive one does not; aspects by their words."""
    labelled = _add_intents(sample)
    if sample.label in (NEGATIVE, POSITIVE):
        others = tuple(pair for pair in labelled.intents if pair[0] != _COMPLAIN)
        labelled = replace(labelled, intents=(*others, (_COMPLAIN, sample.label == NEGATIVE)))
    return labelled if labelled.aspects else aspects.label_aspects_by_terms(labelled, _CONTRAST)


def detect_intent(text: str, intent: str) -> bool | None:
    """Return whether a text has an intent by the rules, or None where they cannot decide."""
    strong, against, hints = _COMPILED[intent]
    if strong.search(text):
        return None if against.search(text) else True
    return None if hints.search(text) else False
