"""``report.html``: one page with graph, times, metrics, plots and tables, that loads nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup

from firnline.domain import RunRecord
from firnline.domain.artifact import Figure, Grid, Text
from firnline.record.report import render_report
from firnline.record.report_graph import NODE_WIDTH, TEXT_LEFT, TEXT_ROOM, Node, draw_graph
from tests.core.report.page import Page
from tests.core.samples import EARLIER, RUN, a_plan, a_report, a_stage, failed_events, finished_events, recorded

HOSTILE = "</style><script>alert(1)</script>\u202e\x1b[31m"
ENVIRONMENT = {"firnline": "0.1.0", "git_commit": "0123456789abcdef", "git_dirty": "yes", "python": "3.11"}


def page_of(record: RunRecord, **changes: object) -> Page:
    facts = {"config_yaml": "train:\n  uses: train.xgboost  # a comment\n", "environment": ENVIRONMENT}
    plan = changes.pop("plan", a_plan())
    return Page(render_report(record, plan, project=Path("/data/churn"), **{**facts, **changes}))  # type: ignore[arg-type]


def test_a_finished_run_shows_everything() -> None:
    page = page_of(recorded(finished_events(*a_report().sections)))
    page.assert_self_contained()
    text = page.text
    for part in (RUN, "churn", "finished", "sandbox", "train=xgboost", "0123456789 with changes"):
        assert part in text
    for stage in ("ingest", "features", "split", "train", "evaluate", "register"):
        assert stage in text
    assert f"from run {EARLIER}" in text
    for metric in ("roc_auc", "0.8421", "log_loss", "0.4000"):
        assert metric in text
    for section in ("Second <b>.", "Slices", "ü 日本", "12,000", "ROC", "on the test part"):
        assert section in text
    assert "FIRNLINE.PUBLIC.FEATURES_1" in text
    assert "CHURN" in text
    assert page.tags.count("svg") >= 3  # the mark of the house, the graph, the figure
    assert "uses" in text


def test_a_failed_run_says_what_failed_and_how_to_go_on() -> None:
    page = page_of(recorded(failed_events()))
    page.assert_self_contained()
    for part in ("What went wrong", "unknown objective <b>[red]", "choose binary:logistic", "evaluate, register"):
        assert part in page.text
    assert f"firnline runs resume {RUN}" in page.text
    assert "Skipped because train failed." in page.text


def test_an_interrupted_stage_is_not_called_failed() -> None:
    record = recorded(failed_events())
    train = replace(record.stages["train"], interrupted=True, error="InterruptedRunError: the run was interrupted")
    later = replace(record.stages["evaluate"], because="the run was interrupted")
    page = page_of(replace(record, status="interrupted", stages={**record.stages, "train": train, "evaluate": later}))
    assert "1 interrupted" in page.text
    assert "1 failed" not in page.text
    assert "Skipped because the run was interrupted." in page.text


def test_nothing_foreign_becomes_markup() -> None:
    sections = (
        Text(title=HOSTILE, body=HOSTILE),
        Grid(title=HOSTILE, columns=(HOSTILE,), rows=((HOSTILE,), (float("nan"),))),
        Figure(title=HOSTILE, svg="<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>", caption=HOSTILE),
    )
    record = replace(recorded(finished_events(*sections)), overrides=(HOSTILE,), pipeline=HOSTILE, platform=HOSTILE)
    stages = {**record.stages, HOSTILE: replace(record.stages["train"], name=HOSTILE, error=HOSTILE, hint=HOSTILE)}
    plan = a_plan(*a_plan().stages, a_stage(HOSTILE, HOSTILE, reason=HOSTILE, params={HOSTILE: HOSTILE}))
    page = page_of(replace(record, stages=stages), plan=plan, config_yaml=HOSTILE, environment={HOSTILE: HOSTILE})
    page.assert_self_contained()
    assert "\u202e" not in page.html
    assert "\x1b" not in page.html
    assert "This figure is left out: it holds the event handler onload." in page.text


def test_two_figures_do_not_disturb_each_other() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>.a{fill:red}</style>'
        '<defs><path id="p" d="M0 0"/></defs><use href="#p" class="a"/></svg>'
    )
    page = page_of(recorded(finished_events(Figure(title="one", svg=svg), Figure(title="two", svg=svg))))
    page.assert_self_contained()
    assert len([name for name in page.ids if name.endswith("-p")]) == 2


def test_a_thousand_stages_make_a_small_page() -> None:
    stages = [a_stage("s0"), *(a_stage(f"s{i}", links=(f"s{i - 1}.value",)) for i in range(1, 1_000))]
    page = page_of(recorded(finished_events()), plan=a_plan(*stages))
    page.assert_self_contained()
    assert len(page.html) < 2_000_000
    assert "s999" in page.text


@pytest.mark.parametrize("name", ["a", "register_the_model", "x" * 60, "日本語の段階の名前です"])
def test_names_stay_in_their_boxes(name: str) -> None:
    node = Node(name=name, note=name, state="finished", title=name)
    svg = draw_graph([node], {name: []}).svg
    assert isinstance(svg, Markup)
    assert TEXT_LEFT + TEXT_ROOM < NODE_WIDTH
    # A short name fits in every font; a longer one is told how wide to be.
    assert (f'textLength="{TEXT_ROOM}"' in svg) == (len(name) > 1)
    assert name in svg.partition("<title>")[2].partition("</title>")[0]
