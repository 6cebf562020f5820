"""A campaign in the last week of the corpus, in which our brand gains people, not sentiment."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from corpora.store.snapshot import Snapshot
from folate.core.config import CAMPAIGN_MEASURES, Campaign, CampaignGoal, Config, parse_config
from folate.core.errors import ConfigError
from folate.core.weeks import Week
from reports.context import ReportContext
from reports.render.document import campaign_document
from reports.sections.campaigns.measure import CampaignResult, measure_campaign, measure_campaigns

SPRING = Campaign(
    id="spring",
    names=("春季", "Spring"),
    start=date(2026, 3, 2),
    end=date(2026, 3, 15),
    themes=("叶酸", "Folic"),
    goals=(
        CampaignGoal(measure="people", least=0.2),
        CampaignGoal(measure="pickup", least=0.5),
        CampaignGoal(measure="engagement", least=0.1),
    ),
)


@pytest.fixture(scope="module")
def result(snapshot: Snapshot, config: Config, week: Week) -> CampaignResult:
    return measure_campaign(ReportContext(snapshot, config, week), SPRING)


def scorecard_line(result: CampaignResult, name: str) -> Any:
    return next(line for line in result.lines if line.measure == name)


def test_seventeen_measures_in_four_groups(result: CampaignResult) -> None:
    assert tuple(line.measure for line in result.lines) == CAMPAIGN_MEASURES
    assert len(CAMPAIGN_MEASURES) == 17
    assert {line.group for line in result.lines} == {"reach", "engagement", "perception", "intent"}


def test_a_phase_that_is_not_over_is_cut_and_one_to_come_is_absent(result: CampaignResult) -> None:
    assert [(phase.name, phase.days) for phase in result.phases] == [("before", 28), ("during", 7)]


def test_values_are_those_of_the_corpus(result: CampaignResult, snapshot: Snapshot) -> None:
    during = scorecard_line(result, "mentions").values["during"]
    rows = snapshot.sql(during.query).to_pylist()
    posts = [row for row in rows if (row["brand"], row["phase"]) == ("heye", "during")]
    assert during.value == pytest.approx(len(posts) / 7, abs=1e-6)
    pickup = scorecard_line(result, "pickup").values["during"]
    assert pickup.value == pytest.approx(sum(row["theme"] for row in posts) / len(posts), abs=1e-6)


def test_what_the_brand_gained_and_lost_beyond_its_competitors(result: CampaignResult) -> None:
    people, net = (
        scorecard_line(result, "people").effects["during"],
        scorecard_line(result, "net").effects["during"],
    )
    assert people.low > 0
    assert net.high < 0
    assert scorecard_line(result, "share_of_voice").effects["during"].low > 0


def test_goals_are_judged_by_the_interval(result: CampaignResult) -> None:
    reached_by_measure = {
        line.measure: line.reached for line in result.lines if line.goal is not None
    }
    assert reached_by_measure == {"people": "yes", "pickup": "no", "engagement": "open"}


def test_what_no_source_shows_is_missing_not_zero(result: CampaignResult) -> None:
    assert (
        scorecard_line(result, "reach").values["during"].value is None
    )  # nobody's followers are known
    assert scorecard_line(result, "buy").values["during"].value is None  # nothing was judged
    assert (
        scorecard_line(result, "new_people").values["before"].value is None
    )  # everybody is new in the first phase


def test_the_posts_behind_a_figure_are_of_its_brand_phase_and_part(
    result: CampaignResult, snapshot: Snapshot
) -> None:
    people = scorecard_line(result, "people")
    (part,) = (part for part in result.parts if part.name == "mombaby")
    rows = {
        row["id"]: row
        for row in snapshot.sql(people.values["during"].query).to_pylist()
        if row["brand"] == "heye"
    }
    assert {rows[post]["phase"] for post in people.values["before"].posts} == {"before"}
    assert {rows[post]["source"] for post in part.effects["people"].posts} == {"mombaby"}
    assert {rows[post]["phase"] for post in people.effects["during"].posts} == {"before", "during"}
    others = {
        row["id"]
        for row in snapshot.sql(people.values["during"].query).to_pylist()
        if row["brand"] != "heye"
    }
    assert (
        0 < len(people.rivals["during"].posts) == len(others & set(people.rivals["during"].posts))
    )


def test_by_source(result: CampaignResult) -> None:
    assert {(part.kind, part.name) for part in result.parts} >= {
        ("source", "mombaby"),
        ("source", "weiba"),
    }


def test_competitors_that_moved_alike_leave_no_effect(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    calm = replace(SPRING, brand="luva", start=date(2026, 2, 16), end=date(2026, 2, 22), before=14)
    effect = scorecard_line(
        measure_campaign(ReportContext(snapshot, config, Week.parse("2026-W08")), calm), "people"
    ).effects["during"]
    assert effect.low < 0 < effect.high


def test_only_campaigns_of_the_time_are_in_a_report(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    past = replace(SPRING, id="past", start=date(2025, 3, 2), end=date(2025, 3, 15))
    to_come = replace(SPRING, id="later", start=date(2026, 4, 2), end=date(2026, 4, 15))
    planned = replace(config, campaign=(past, SPRING, to_come))
    results = measure_campaigns(ReportContext(snapshot, planned, week))
    assert [result.id for result in results] == ["spring"]
    document = json.loads(json.dumps(campaign_document(results[0])))
    assert document["scorecard"][0]["measure"] == "mentions"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"end": date(2026, 3, 1)}, "wanted an end on or after its start"),
        ({"brand": "hey"}, "no brand 'hey'"),
        ({"goals": [{"measure": "peple", "least": 0.1}]}, "no measure 'peple'"),
        ({"start": "2026-03-02"}, "wanted a date such as 2026-03-02"),
        ({"names": []}, "needs at least one name"),
    ],
)
def test_a_campaign_that_makes_no_sense(changed: dict[str, Any], message: str) -> None:
    table = {
        "id": "s",
        "names": ["S"],
        "start": date(2026, 3, 2),
        "end": date(2026, 3, 9),
    } | changed
    with pytest.raises(ConfigError, match=message):
        parse_config(
            {
                "name": "x",
                "brands": [{"id": "heye", "names": ["禾叶"], "own": True}],
                "campaign": [table],
            }
        )
