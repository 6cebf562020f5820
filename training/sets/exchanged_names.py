"""Replacement of names in training texts, so that no name carries a sentiment.

In use the model gets placeholders in place of names (`nlp.model.name_hiding`). In training most
names become those placeholders too; the others become random names, among them words of praise or
blame.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

from nlp.model.name_hiding import PLACEHOLDERS
from nlp.text.language import model_language
from training.sets.composed import invent_brand_name
from training.sets.samples import LabelledTarget, Sample

POLAR_BRAND_NAMES = {
    "zh": (
        "美好",
        "好利来",
        "清新多",
        "老坏",
        "真香",
        "烂番茄",
        "快乐番薯",
        "恶魔糖",
        "幸福里",
        "苦茶坊",
    ),
    "en": (
        "Innocent",
        "Lovely Air",
        "Best Western",
        "Happy Socks",
        "Monster",
        "Bad Bunny",
        "Fail Army",
        "Great Value",
    ),
}
"""Names that read like praise or blame."""

RANDOM_NAME_SHARE = 0.25
"""Share of the names that become a random name rather than a placeholder."""


def replace_names(sample: Sample, rng: random.Random) -> Sample:
    """Replace the names that the targets of a sample cover, and adjust the spans.

    A name in a handle keeps its @. A sample whose targets overlap is returned as it is.
    """
    spans = sorted(
        (start, end, index)
        for index, target in enumerate(sample.targets)
        for start, end in target.spans
    )
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
        return sample
    names = _choose_names(sample, len(sample.targets), rng)
    pieces: list[str] = []
    new_spans: dict[int, list[tuple[int, int]]] = {
        index: [] for index in range(len(sample.targets))
    }
    copied_until = length = 0
    for start, end, index in spans:
        name = names[index]
        if sample.text[start] == "@":
            name = "@" + name.replace(" ", "")
        pieces += [sample.text[copied_until:start], name]
        length += start - copied_until
        new_spans[index].append((length, length + len(name)))
        length += len(name)
        copied_until = end
    targets = tuple(
        LabelledTarget(tuple(new_spans[index]), target.label)
        for index, target in enumerate(sample.targets)
    )
    return replace(sample, text="".join([*pieces, sample.text[copied_until:]]), targets=targets)


def _choose_names(sample: Sample, count: int, rng: random.Random) -> list[str]:
    """Choose a name for each target: placeholders in the order of mention, or random names."""
    language = model_language(sample.text)
    placeholders = PLACEHOLDERS[language]
    order = sorted(range(count), key=lambda index: sample.targets[index].spans[0])
    names = [""] * count
    for position, index in enumerate(order):
        if rng.random() >= RANDOM_NAME_SHARE:
            names[index] = placeholders[min(position, len(placeholders) - 1)]
        elif rng.random() < 0.5:
            names[index] = rng.choice(POLAR_BRAND_NAMES[language])
        else:
            names[index] = invent_brand_name(language, rng)
    return names
