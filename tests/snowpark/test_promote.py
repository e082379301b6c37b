"""A candidate gets production's alias only if it wins on the same rows; what was decided is kept, and can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from firnline.domain import RegisteredModel, SourceContext, Table, load_callable
from firnline.errors import DataError, StoppedByGateError, TransientError, UsageError
from firnline_snowpark.evaluate.predictions import Predictions
from firnline_snowpark.promote import champion, history
from firnline_snowpark.promote.comparison import compare, why_it_loses
from firnline_snowpark.promote.history import MOST_REFUSALS, Decision, decisions_of, keep, previous_holder
from firnline_snowpark.promote.params import MEASURES, ChampionParams, production_state
from firnline_snowpark.promote.rows import Asked
from firnline_snowpark.promote.shelf import Shelf
from firnline_snowpark.promote.versions import ListedVersion, holder_of, listed_versions
from firnline_snowpark.register.model import move_alias, open_registry
from firnline_snowpark.rows import LearningTask
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched
from tests.snowpark.plans import ROWS, Trained, plans_table, train

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

MODEL = "CHAMPIONS"
FAST = {"resamples": 100}


@pytest.fixture(scope="module")
def versions(world: World) -> dict[str, RegisteredModel]:
    """Register a good model, one that hardly learns, and the good one again under another version."""
    table = plans_table(world)
    good, worse = train(world, table, "PLAN"), train(world, table, "PLAN", regularization=10_000.0)
    return {
        "table": table,
        "good": register(world, good, "a"),
        "worse": register(world, worse, "b"),
        "equal": register(world, good, "c"),
    }  # type: ignore[dict-item]


@pytest.fixture
def production(world: World, versions: Any) -> Any:
    """Let a version be PRODUCTION, or none; every test starts with none, and with nothing kept."""
    registry = open_registry(world.context("promote"))
    model = registry.get_model(MODEL)
    for version in listed_versions(registry, MODEL):
        model.version(version.name).set_metric("firnline_promotions", [])
        if "PRODUCTION" in version.aliases:
            model.version(version.name).unset_alias("PRODUCTION")

    def put(name: str) -> None:
        move_alias(registry, MODEL, versions[name].version, "PRODUCTION")

    return put


def register(world: World, trained: Trained, letter: str, name: str = MODEL) -> RegisteredModel:
    ports = {"model": trained.model, "metrics": trained.metrics, "data": trained.table, "features": trained.table}
    found = world.run("register.model", {"name": name, "sample_rows": 5}, key=letter * 32, **ports)["registered"]
    assert isinstance(found, RegisteredModel)
    return found


def promote(world: World, versions: Any, name: str, **params: Any) -> Any:
    return world.run("promote.champion", {**FAST, **params}, registered=versions[name], test=versions["table"])


def shelf(world: World) -> Shelf:
    return Shelf(world.session, world.schema)


def holder(world: World) -> str | None:
    return holder_of(shelf(world).versions(MODEL), "PRODUCTION")


def decisions(world: World, version: RegisteredModel) -> list[Decision]:
    return decisions_of(shelf(world).version(MODEL, version.version).metrics)


def test_the_first_version_is_promoted(world: World, versions: Any, production: Any) -> None:
    outputs = promote(world, versions, "worse")
    assert holder(world) == versions["worse"].version == outputs["promoted"].version
    [kept] = decisions(world, versions["worse"])
    assert (kept.verdict, kept.previous, kept.moved, kept.run_id) == ("first", None, True, "test-run")
    assert promote(world, versions, "worse")["metrics"].values == {}
    assert len(decisions(world, versions["worse"])) == 1  # it had the alias: nothing was decided


def test_the_one_in_production_registered_again_is_still_what_a_candidate_must_beat(
    world: World, versions: Any, production: Any
) -> None:
    production("good")
    good = train(world, versions["table"], "PLAN")
    assert register(world, good, "a") == versions["good"]
    with pytest.raises(StoppedByGateError, match="is not promoted"):
        promote(world, versions, "worse")
    assert holder(world) == versions["good"].version


def test_a_better_one_is_promoted_and_the_numbers_are_kept(world: World, versions: Any, production: Any) -> None:
    production("worse")
    outputs = promote(world, versions, "good")
    assert holder(world) == versions["good"].version
    [kept] = decisions(world, versions["good"])
    assert (kept.verdict, kept.previous, kept.moved) == ("won", versions["worse"].version, True)
    numbers = kept.numbers
    assert numbers["metric"] == "log_loss"
    assert numbers["rows"] == numbers["of_rows"] == ROWS
    assert numbers["gain"] == pytest.approx(numbers["production"] - numbers["candidate"])
    low, high = numbers["interval"]
    assert 0 < low < numbers["gain"] < high
    assert numbers["p"] == pytest.approx(1 / 101)
    assert outputs["metrics"].values["gain"] == numbers["gain"]
    # The comparison's value is what the evaluation found on the same rows.
    registered = shelf(world).version(MODEL, versions["good"].version).metrics["log_loss"]
    assert numbers["candidate"] == pytest.approx(registered, rel=1e-4)
    assert "in place of" in str(outputs["report"].sections[0])


def test_a_worse_one_is_not(world: World, versions: Any, production: Any) -> None:
    production("good")
    with pytest.raises(StoppedByGateError, match="is not promoted: it is not better") as caught:
        promote(world, versions, "worse")
    assert "log loss" in str(caught.value)
    assert "force=true" in str(caught.value.hint)
    assert holder(world) == versions["good"].version
    [kept] = decisions(world, versions["worse"])
    assert (kept.verdict, kept.moved) == ("lost", False)


def test_an_equal_one_is_not_nor_one_within_the_margin(world: World, versions: Any, production: Any) -> None:
    production("good")
    with pytest.raises(StoppedByGateError, match=r"it is not better; it is not better in 100\.0%"):
        promote(world, versions, "equal")
    production("worse")
    with pytest.raises(StoppedByGateError, match="must be by 2"):
        promote(world, versions, "good", margin=2.0)
    assert holder(world) == versions["worse"].version


def test_force_keeps_the_note(world: World, versions: Any, production: Any) -> None:
    production("good")
    promote(world, versions, "worse", force=True, note="The regulator asks for $$ it")
    assert holder(world) == versions["worse"].version
    [kept] = decisions(world, versions["worse"])
    assert (kept.verdict, kept.note, kept.moved) == ("forced", "The regulator asks for $$ it", True)
    assert kept.numbers["gain"] < 0
    version = shelf(world).version(MODEL, versions["worse"].version)
    assert version.comment.endswith("PRODUCTION forced: The regulator asks for $ $ it.")
    with pytest.raises(ValueError, match="force needs a note"):
        ChampionParams(force=True, note=" ")


def test_what_was_promoted_is_rolled_back(world: World, versions: Any, production: Any) -> None:
    promote(world, versions, "worse")
    promote(world, versions, "good")
    names = {name: versions[name].version for name in ("good", "worse", "equal")}
    shelves = shelf(world)
    assert shelves.promote(MODEL, names["equal"], "production", "by hand") == (names["good"], names["equal"])
    assert shelves.roll_back(MODEL, "PRODUCTION", "") == (names["equal"], names["good"])
    assert shelves.roll_back(MODEL, "PRODUCTION", "still bad") == (names["good"], names["worse"])
    assert holder(world) == names["worse"]
    with pytest.raises(UsageError, match="no other version of CHAMPIONS is known to have been PRODUCTION"):
        shelves.roll_back(MODEL, "PRODUCTION", "")
    assert [kept.verdict for kept in decisions(world, versions["worse"])] == ["first", "rolled back"]
    with pytest.raises(UsageError, match="no version of CHAMPIONS is SHADOW"):
        shelves.roll_back(MODEL, "SHADOW", "")


def test_a_decision_that_was_not_carried_out_is_completed(
    world: World, versions: Any, production: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    production("worse")

    def move_and_die(*arguments: Any) -> None:
        move_alias(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(history, "move_alias", move_and_die)
    with pytest.raises(KeyboardInterrupt):
        promote(world, versions, "good")
    monkeypatch.undo()
    [kept] = decisions(world, versions["good"])
    assert (kept.moved, holder(world)) == (False, versions["good"].version)
    promote(world, versions, "good")
    [kept] = decisions(world, versions["good"])
    assert (kept.verdict, kept.moved) == ("won", True)
    assert shelf(world).roll_back(MODEL, "PRODUCTION", "")[1] == versions["worse"].version


def test_somebody_else_promotes_meanwhile(
    world: World, versions: Any, production: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    production("worse")

    def meanwhile(*arguments: Any) -> Any:
        found = compare(*arguments)
        production("equal")
        return found

    monkeypatch.setattr(champion, "compare", meanwhile)
    with pytest.raises(TransientError, match="was moved from"):
        promote(world, versions, "good")
    assert holder(world) == versions["equal"].version


def test_the_key_follows_the_alias(world: World, versions: Any, production: Any, tmp_path: Any) -> None:
    class Platform:
        def session(self, query_tag: str) -> Any:
            return Shared()

        def schema(self) -> str:
            return world.schema

    class Shared:
        def sql(self, query: str) -> Any:
            return world.session.sql(query)

        def close(self) -> None:
            pass

    surroundings = SourceContext(project=tmp_path, open_platform=Platform)  # type: ignore[arg-type]

    def state() -> str:
        from tests.snowpark.churn_world import SPECS

        source = SPECS["promote.champion"].source
        assert source is not None
        assert load_callable(source) is production_state
        return production_state(ChampionParams(), surroundings)

    before = state()
    production("good")
    assert state() == f"{MODEL}={versions['good'].version}" != before
    production("equal")
    assert state() == f"{MODEL}={versions['equal'].version}"


def test_only_a_sample_of_a_few_numbers_a_row_comes_here(world: World, versions: Any, production: Any) -> None:
    production("worse")
    with count_fetched() as fetched:
        promote(world, versions, "good", max_rows=100)
    [kept] = decisions(world, versions["good"])
    assert (kept.numbers["rows"], kept.numbers["of_rows"]) == (100, ROWS)
    assert fetched.rows < 200


def test_versions_that_cannot_be_compared_are_refused(world: World, versions: Any, production: Any) -> None:
    production("good")
    amounts = register(world, train(world, versions["table"], "SPEND"), "d")
    both = {**versions, "amounts": amounts}
    with pytest.raises(DataError, match=r"predicts SPEND \(regression\), version V_A+ predicts PLAN"):
        promote(world, both, "amounts")
    promote(world, both, "amounts", force=True, note="a new target")
    [kept] = decisions(world, amounts)
    assert kept.verdict == "forced"
    assert kept.reason.startswith("not compared: ")
    narrow = replace(versions["table"], name=world.context("narrow").table_name())
    world.session.sql(f"CREATE TABLE {narrow.name} AS SELECT ID, PLAN, AGE FROM {versions['table'].name}").collect()
    production("good")
    with pytest.raises(DataError, match="it lacks, or holds otherwise, select"):
        promote(world, {**versions, "table": narrow}, "worse")
    with pytest.raises(DataError, match="brier is not defined for multiclass"):
        promote(world, versions, "worse", metric="brier")


def test_two_classes_and_amounts(world: World, versions: Any) -> None:
    """Both are asked as ``register.model`` knows them: a probability of the last class, or an amount."""
    table: Table = versions["table"]
    two = world.changed(table, "UPDATE {} SET PLAN = IFF(PLAN = '$$$', 'yes', 'no')")
    for target, name, given, metric in (("PLAN", "TWO", two, "roc_auc"), ("SPEND", "AMOUNTS", table, "rmse")):
        good = train(world, given, target)
        bad = train(
            world, given, target, set_aside=["select", "AGE", "ACTIVE", "PLAN" if target == "SPEND" else "SPEND"]
        )
        found = {"good": register(world, good, "a", name), "bad": register(world, bad, "b", name), "table": given}
        promote(world, found, "bad")
        values = promote(world, found, "good")["metrics"].values
        assert values[f"candidate_{metric}"] == pytest.approx(good.metrics.values[metric], rel=1e-4)
        assert values[f"production_{metric}"] == pytest.approx(bad.metrics.values[metric], rel=1e-4)


def asked(labels: Any, candidate: Any, production: Any, **others: Any) -> Asked:
    task = LearningTask(features=("X",), target="Y", task="binary", classes=(0, 1))
    frame = pd.DataFrame({name: pd.Series(values) for name, values in others.items()})
    both = [Predictions(task=task, labels=labels, scores=scores, others=frame) for scores in (candidate, production)]
    return Asked(candidate=both[0], production=both[1], of_rows=len(labels))


def test_a_slice_that_gets_worse_stops_a_better_candidate() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 2_000)
    noise = random.random(2_000)
    plan = np.where(np.arange(2_000) % 10 == 0, "rare", "usual")
    right, wrong = 0.7 * labels + 0.3 * noise, 0.5 * labels + 0.5 * noise
    candidate = np.where(plan == "rare", 1 - labels, right)  # wrong for a tenth of the rows, better for the others
    given = asked(labels, candidate, np.where(plan == "rare", right, 0.4 * labels + 0.6 * wrong * noise), PLAN=plan)
    params = ChampionParams(slices=("PLAN",), metric="log_loss", resamples=100, slice_margin=0.05)
    found = compare(given, params, {"PLAN": "text"}, lambda: None)
    assert found.slices[0].value == "rare"
    assert any("where PLAN is rare it is worse by" in reason for reason in why_it_loses(found, params))
    assert [part.value for part in found.slices] == ["rare", "usual"]
    small = ChampionParams(slices=("PLAN",), metric="log_loss", resamples=100, slice_rows=300)
    assert [part.value for part in compare(given, small, {"PLAN": "text"}, lambda: None).slices] == ["usual"]


def test_slices_are_told_apart_in_the_platform(world: World, versions: Any, production: Any) -> None:
    production("worse")
    promote(world, versions, "good", slices=["select"], slice_rows=20, metric="accuracy", slice_margin=0.0)
    [kept] = decisions(world, versions["good"])
    assert {part["value"] for part in kept.numbers["slices"]} == {"a", "b", "c's", "(missing)"}
    production("good")
    with pytest.raises(StoppedByGateError, match=r"where select is .* it is worse by"):
        promote(world, versions, "worse", slices=["select"], slice_rows=20, metric="accuracy", slice_margin=0.0)


def test_chance_is_not_taken_for_a_gain() -> None:
    """Of forty pairs that are equally good, about one in twenty wins at 0.05; the margin alone would take half."""
    wins = lucky = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, 300)
        candidate, production = (np.clip(0.3 * labels + 0.7 * random.random(300), 0, 1) for _ in range(2))
        params = ChampionParams(resamples=100)
        found = compare(asked(labels, candidate, production), params, {}, lambda: None)
        wins += not why_it_loses(found, params)
        lucky += not why_it_loses(found, ChampionParams(significance=None))
    assert wins <= 6
    assert lucky >= 12


def test_refusals_do_not_pile_up(world: World, versions: Any, production: Any) -> None:
    version = open_registry(world.context("keep")).get_model(MODEL).version(versions["equal"].version)
    for number in range(MOST_REFUSALS + 2):
        lost = Decision(
            version=version.version_name,
            alias="PRODUCTION",
            verdict="lost",
            reason="no",
            previous="X",
            at=f"2026-01-01T00:00:{number:02}",
            numbers={},
        )
        keep(version, lost)
    kept = decisions(world, versions["equal"])
    assert [decision.at[-2:] for decision in kept] == [f"{n:02}" for n in range(2, MOST_REFUSALS + 2)]


MOVES = [
    ([("A", "first", None), ("B", "won", "A")], "B", "A"),
    ([("A", "first", None), ("B", "won", "A"), ("A", "won", "B"), ("B", "rolled back", "A")], "B", "A"),
    ([("A", "first", None), ("B", "won", "A")], "C", "B"),  # moved to C by other means
    ([("B", "won", "A")], "B", "A"),  # A had it by other means
    ([("B", "won", "GONE")], "B", None),  # deleted
    ([], "A", None),
]


@pytest.mark.parametrize(("moves", "now_held_by", "before"), MOVES)
def test_who_had_it_before(moves: Any, now_held_by: str, before: str | None) -> None:
    kept: dict[str, list[Any]] = {name: [] for name in "ABC"}
    for place, (version, verdict, previous) in enumerate(moves):
        decision = Decision(
            version=version,
            alias="PRODUCTION",
            verdict=verdict,
            reason="",
            previous=previous,
            at=f"2026-01-0{place + 1}",
            numbers={},
            moved=True,
        )
        kept[version].append(decision.to_json())
    versions = [
        ListedVersion(
            model="M",
            name=name,
            aliases=("PRODUCTION",) if name == now_held_by else (),
            created=pd.Timestamp("2026-01-01").to_pydatetime(),
            comment="",
            metrics={"firnline_promotions": known},
        )
        for name, known in kept.items()
    ]
    assert previous_holder(versions, "PRODUCTION") == before


def test_every_measure_can_be_asked_for() -> None:
    from firnline_snowpark.evaluate.measures import measures

    known: set[str] = set()
    random = np.random.default_rng(0)
    for task, classes in (("binary", (0, 1)), ("multiclass", (0, 1, 2)), ("regression", ())):
        labels = random.integers(0, max(len(classes), 2), 60)
        scores = random.random((60, 3)) if task == "multiclass" else random.random(60)
        known |= set(measures(LearningTask(features=(), target="", task=task, classes=classes), labels, scores))  # type: ignore[arg-type]
    assert known == set(MEASURES)
    with pytest.raises(ValueError, match="did you mean 'roc_auc'"):
        ChampionParams(metric="roc_acu")
