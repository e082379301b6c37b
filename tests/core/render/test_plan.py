"""The plan: table, graph, Mermaid and the closing sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firnline.cli.render.graph import plan_mermaid, render_graph
from firnline.cli.render.plan import closing_sentence, expected_seconds, render_plan
from firnline.domain import Estimate, Plan
from tests.core.samples import EARLIER, a_plan, a_stage, shown


def test_plan_at_80_columns() -> None:
    plan = a_plan()
    assert shown(render_plan(plan)) == (
        f"""\
churn on sandbox · plan {plan.hash[:12]} · steps from firnline 0.1.0

stage      step                 what, and why                p50 – p90   credits
────────────────────────────────────────────────────────────────────────────────
ingest     generate.churn       ○ reuse: nothing changed
                                since run
                                20261121-101010-aaaa
features   features.churn       ● run: it never ran              2.0 s      0.01
                                before
split      split.time           ● run: it never ran              2.0 s      0.01
                                before
train      train.xgboost        ● run: params.max_depth    20 s – 40 s      0.02
           local (gpu 1)        changed since run
                                20261121-101010-aaaa
evaluate   evaluate.binary      ● run: it never ran              2.0 s      0.01
                                before
register   register.snowflake   ● run: it never ran              2.0 s      0.01
                                before

○   ingest
●   features ← ingest
●   split ← features
├─● train ← split
●─┤ evaluate ← train, split
●─╯ register ← train, evaluate

6 stages: 5 run, 1 reused; about 28 s (at worst 48 s); about 0.06 credits."""
    )


def test_plan_at_140_columns_has_a_column_for_the_place() -> None:
    text = shown(render_plan(a_plan()), 140)
    assert "where" in text
    assert f"params.max_depth changed since run {EARLIER}" in text
    assert "local (gpu 1)" in text


def test_plugins_are_named_when_they_differ() -> None:
    plan = a_plan(a_stage("a"), a_stage("b", plugin="team-steps 2.0"))
    narrow = shown(render_plan(plan), 80)
    assert "firnline 0.1.0" in narrow
    assert "team-steps 2.0" in narrow
    assert "plugin" in shown(render_plan(plan), 140)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (a_plan(a_stage("a")), "1 stage: 1 run; no history yet, so the time is unknown."),
        (
            a_plan(a_stage("a", action="reuse"), a_stage("b", action="skip")),
            "2 stages: 1 reused, 1 left out; nothing to do.",
        ),
        (
            a_plan(a_stage("a", estimate=Estimate(p50_s=75, p90_s=76, samples=3)), a_stage("b"), a_stage("c")),
            "3 stages: 3 run; about 1 min 15 s without b and c, which never ran before.",
        ),
        (Plan(pipeline="p", platform="s", platform_params={}, workers=1, stages=()), "no stages."),
    ],
)
def test_closing_sentence(plan: Plan, sentence: str) -> None:
    assert closing_sentence(plan) == sentence


def test_expected_time_is_the_longest_chain_or_the_work_shared_by_the_workers() -> None:
    second = Estimate(p50_s=1, p90_s=2, samples=9)
    chain = a_plan(a_stage("a", estimate=second), a_stage("b", links=("a.value",), estimate=second))
    assert expected_seconds(chain) == (2, 4)
    beside = a_plan(*(a_stage(f"s{i}", estimate=second) for i in range(10)))
    assert expected_seconds(beside) == (5, 10), "two workers share ten seconds"


def test_rails_join_and_cross() -> None:
    plan = a_plan(
        a_stage("a"),
        a_stage("b", links=("a.v",)),
        a_stage("c", links=("a.v",)),
        a_stage("d", links=("a.v",)),
        a_stage("e", links=("b.v", "c.v", "d.v")),
        a_stage("alone"),
    )
    assert shown(render_graph(plan)).splitlines() == [
        "●     a",
        "├─●   b ← a",
        "├─│─● c ← a",
        "● │ │ d ← a",
        "●─┴─╯ e ← b, c, d",
        "●     alone",
    ]


def test_a_graph_with_too_many_rails_is_listed() -> None:
    roots = [a_stage(f"r{i}") for i in range(40)]
    plan = a_plan(*roots, a_stage("end", links=tuple(f"r{i}.v" for i in range(40))))
    lines = shown(render_graph(plan), 400).splitlines()
    assert lines[0] == "● r0"
    assert lines[-1].startswith("● end ← r0, r1")


def test_hostile_names_stay_text() -> None:
    plan = a_plan(a_stage("[red]x[/]", step="\x1b[31mevil", reason="<b>\u202eabc"))
    text = shown(render_plan(plan), 140)
    assert "[red]x[/]" in text
    assert "\\x1b[31mevil" in text
    assert "\\u202eabc" in text
    assert "\x1b" not in text


def test_mermaid_escapes_what_it_could_take_for_syntax() -> None:
    plan = a_plan(a_stage('a"]; click'), a_stage("b", links=('a"]; click.v',), action="skip"))
    text = plan_mermaid(plan)
    assert text.splitlines()[:4] == [
        "flowchart TD",
        '    s0["a#34;#93;#59; click<br/>toy.add"]:::run',
        '    s1["b<br/>toy.add"]:::skip',
        "    s0 --> s1",
    ]


def test_a_thousand_stages() -> None:
    chain = [a_stage("s0"), *(a_stage(f"s{i}", links=(f"s{i - 1}.v",)) for i in range(1, 1_000))]
    text = shown(render_plan(a_plan(*chain)), 100)
    assert "1,000 stages: 1,000 run" in text
    assert text.count("s999") == 2, "once in the table, once in the graph"


def test_a_plan_of_reuse_counts_no_credits() -> None:
    plan = a_plan(replace(a_stage("a", credits=5.0), action="reuse"))
    assert "credits" not in shown(render_plan(plan), 140)
