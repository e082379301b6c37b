"""Questions about runs: one, many, those of a sweep, and where an artifact came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from firnline.domain import Plan, RunRecord, fold
from firnline.errors import UsageError
from firnline.record.liveness import is_alive
from firnline.record.store import Store


def find_run(store: Store, reference: str) -> str:
    """Return the id of the run that is meant by its id, the start of its id, or ``last``.

    Raises:
        UsageError: no run, or several, are meant.
    """
    if reference == "last":
        rows = store.query("SELECT run_id FROM runs ORDER BY started DESC LIMIT 1")
    else:
        rows = store.query(
            "SELECT run_id FROM runs WHERE run_id >= ? AND run_id < ? ", (reference, reference + "\U0010ffff")
        )
        if (reference,) in rows:
            return reference
    if len(rows) == 1:
        return str(rows[0][0])
    if not rows:
        raise UsageError(f"there is no run {reference!r} in {store.root}", hint="`firnline runs list` shows all runs")
    raise UsageError(f"{reference!r} may be any of {', '.join(str(row[0]) for row in rows[:5])}")


def load_run(store: Store, run_id: str) -> RunRecord:
    """Return the record of a run; one that says it is running but has no process is ``killed``.

    Raises:
        UsageError: there is no such run.
    """
    record = fold(store.events(run_id))
    if record is None:
        raise UsageError(f"there is no run {run_id!r} in {store.root}", hint="`firnline runs list` shows all runs")
    if record.status == "running" and not is_alive(store.folder(run_id)):
        return replace(record, status="killed")
    return record


def list_runs(
    store: Store, *, limit: int = 20, pipeline: str | None = None, sweep_id: str | None = None
) -> list[RunRecord]:
    """Return the newest runs, newest first."""
    rows = store.query(
        "SELECT run_id FROM runs WHERE (? IS NULL OR pipeline = ?) AND (? IS NULL OR sweep_id = ?) "
        "ORDER BY started DESC LIMIT ?",
        (pipeline, pipeline, sweep_id, sweep_id, limit),
    )
    return [load_run(store, str(run_id)) for (run_id,) in rows]


def load_plan(store: Store, run_id: str) -> Plan:
    """Return the plan that a run executed.

    Raises:
        UsageError: the run's folder is gone, or another version wrote it.
    """
    path = store.folder(run_id) / "plan.json"
    try:
        return Plan.from_json(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise UsageError(f"the plan of run {run_id} cannot be read: {error}") from error


def load_environment(store: Store, run_id: str) -> dict[str, str]:
    """Return versions, commit and machine as a run found them; empty if its folder is gone."""
    path = store.folder(run_id) / "environment.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode:
    """A stage's output in the lineage of an artifact.

    Attributes:
        key: the stage's content key.
        stage: the stage's name.
        step: the step's id.
        run_id: the run that made the output.
        pipeline: that run's pipeline.
        artifacts: port → the artifact in words, such as a table's name.
        finished: when, in seconds since the epoch.
        reads: of a source: its params, which say what it reads.
        state: of a source: a hash of the state of what it read; another state makes another output.
    """

    key: str
    stage: str
    step: str
    run_id: str
    pipeline: str
    finished: float
    artifacts: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What an artifact was made from, and what was made from it.

    Attributes:
        subject: the stage that made the artifact.
        nodes: key → node, for all that is connected.
        upstream: key → keys of what it was made from.
        downstream: key → keys of what was made from it.
    """

    subject: LineageNode
    nodes: Mapping[str, LineageNode]
    upstream: Mapping[str, tuple[str, ...]]
    downstream: Mapping[str, tuple[str, ...]]


def lineage(store: Store, name: str) -> Lineage:
    """Return the lineage of an artifact.

    Args:
        store: the project's store.
        name: a table's name (published or full), ``MODEL`` or ``MODEL/VERSION`` of a registered model, a stage's
            name (its newest output), ``RUN_ID:STAGE``, or a content key.

    Raises:
        UsageError: nothing, or nothing finished, has this name.
    """
    nodes = _nodes(store)
    subject = _subject(nodes.values(), _behind(store, name))
    if subject is None:
        raise UsageError(
            f"no finished output is called {name!r}",
            hint="give a table, MODEL/VERSION, a stage's name or RUN_ID:STAGE; `firnline runs show` lists outputs",
        )
    edges = _edges(store, nodes)
    upstream = _walk(subject.key, edges)
    backwards: dict[str, list[str]] = {}
    for key, sources in edges.items():
        for source in sources:
            backwards.setdefault(source, []).append(key)
    downstream = _walk(subject.key, {key: tuple(users) for key, users in backwards.items()})
    connected = {
        subject.key,
        *upstream,
        *(k for ks in upstream.values() for k in ks),
        *downstream,
        *(k for ks in downstream.values() for k in ks),
    }
    return Lineage(
        subject=subject,
        nodes={key: nodes[key] for key in connected},
        upstream=upstream,
        downstream=downstream,
    )


def _nodes(store: Store) -> dict[str, LineageNode]:
    rows = store.query(
        "SELECT o.key, o.stage, s.step, o.run_id, s.pipeline, o.finished, o.outputs, s.parts, s.params "
        "FROM outputs AS o JOIN stages AS s ON s.run_id = o.run_id AND s.stage = o.stage ORDER BY o.finished"
    )
    nodes = {}
    for key, stage, step, run_id, pipeline, finished, outputs, parts, params in rows:
        state = json.loads(parts).get("source", "")
        nodes[key] = LineageNode(
            key=key,
            stage=stage,
            step=step,
            run_id=run_id,
            pipeline=pipeline,
            finished=finished,
            artifacts={port: describe_artifact(artifact) for port, artifact in json.loads(outputs).items()},
            reads=json.loads(params) if state else {},
            state=state,
        )
    return nodes


def _behind(store: Store, name: str) -> str:
    """Return the table that a published name shows now; any other name as it is."""
    for published, table in store.query("SELECT name, table_name FROM published"):
        full = str(published).partition(":")[2]
        if name.upper() in {full.upper(), full.upper().rpartition(".")[2]}:
            return str(table)
    return name


def _edges(store: Store, nodes: Mapping[str, LineageNode]) -> dict[str, tuple[str, ...]]:
    edges: dict[str, tuple[str, ...]] = {}
    for key, inputs in store.query("SELECT key, inputs FROM stages GROUP BY key"):
        if key in nodes:
            sources = [link[2] for links in json.loads(inputs).values() for link in links if link[2] in nodes]
            edges[key] = tuple(dict.fromkeys(sources))
    return edges


def _subject(nodes: Iterable[LineageNode], name: str) -> LineageNode | None:
    newest_first = sorted(nodes, key=lambda node: node.finished, reverse=True)
    run_id, _, stage = name.partition(":")
    folded = name.upper()
    tests: tuple[Callable[[LineageNode], bool], ...] = (
        lambda node: node.key == name or (node.run_id, node.stage) == (run_id, stage),
        lambda node: any(folded in {text.upper(), *_short_names(text)} for text in node.artifacts.values()),
        lambda node: node.stage == name,
    )
    for matches in tests:
        found = next((node for node in newest_first if matches(node)), None)
        if found is not None:
            return found
    return None


def _short_names(text: str) -> set[str]:
    """Return shorter ways to call an artifact: a table without its schema, a model without that or its version."""
    unversioned = text.upper().partition("/")[0]
    return {text.upper().rpartition(".")[2], unversioned, unversioned.rpartition(".")[2]}


def _walk(start: str, edges: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    walked: dict[str, tuple[str, ...]] = {}
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key not in walked and edges.get(key):
            walked[key] = edges[key]
            waiting += edges[key]
    return walked


def describe_artifact(artifact: Mapping[str, Any]) -> str:
    """Return an artifact's name in words: a table, ``model/version``, or a file."""
    match artifact["kind"]:
        case "Table":
            return str(artifact["name"])
        case "RegisteredModel":
            return f"{artifact['name']}/{artifact['version']}"
        case "Metrics":
            return f"{len(artifact['values'])} metrics"
        case "Report":
            return f"report {artifact['title']!r}"
        case kind:
            return f"{kind.lower()} {artifact['path']}"
