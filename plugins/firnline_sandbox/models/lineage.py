"""SYSTEM$DGQL: what a model version was made from, and which versions a table went into.

What a version was made from is written down by the client in its manifest, and resolved to objects of the catalog when
the version is made. The sandbox keeps no other lineage: a question that needs it is refused.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox.catalog import Table, View
from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.models.lookup import model_for
from firnline_sandbox.models.objects import Model
from firnline_sandbox.statements.registry import system_function
from firnline_sandbox.statements.scanner import split_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from firnline_sandbox.catalog import Entry
    from firnline_sandbox.context import Context
    from firnline_sandbox.models.manifest import Manifest
    from firnline_sandbox.models.objects import ModelVersion

_QUESTION: Final = re.compile(
    r'\{V\(domain: (?P<domain>\w+), (?P<by>name|id):"(?P<object>(?:[^"\\]|\\.)*)"'
    r'(?:, parent(?:Name|Id):"(?P<parent>(?:[^"\\]|\\.)*)")?\) \{(?P<edges>.*)\}\}',
    re.DOTALL,
)
_DIRECTION: Final = re.compile(r"\b(upstream|downstream): E\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a DGQL text asks: the edges of one object, found by name or by id."""

    domain: str
    by_id: bool
    object: str
    parent: str | None
    directions: tuple[str, ...]


@system_function("SYSTEM$DGQL")
def answer_dgql(context: Context, arguments: list[Any]) -> str:
    """Answer the one shape of DGQL question that the clients ask."""
    question = _read(str(arguments[0]))
    edges = {direction: list(_edges(context, question, direction)) for direction in question.directions}
    return json.dumps({"data": {"V": edges}})


def sources_of(context: Context, manifest: Manifest) -> tuple[dict[str, str], ...]:
    """Find the objects that a version was made from, as its manifest names them, in the form that a version keeps."""
    found: dict[str, dict[str, str]] = {}
    for source in manifest.lineage:
        if source.kind == "QUERY":
            for entry in _tables_in(context, source.entity):
                found[entry.id] = {"kind": entry.kind, "id": entry.id, "name": entry.full_name}
        else:
            key = f"{source.kind} {source.entity} {source.version}"
            found[key] = {"kind": source.kind, "entity": source.entity, "version": source.version or ""}
    return tuple(found.values())


def _tables_in(context: Context, query: str) -> Iterator[Entry]:
    from firnline_sandbox.translate.parsing import parse_statement

    for node in parse_statement(query).find_all(exp.Table):
        parts = [_resolved(part) for part in node.parts if isinstance(part, exp.Identifier)]
        if not parts:
            continue
        entry = context.catalog.find_relation(context.qualify(parts), context.session_id)
        if entry is not None and entry.session is None:
            yield entry


def _resolved(identifier: exp.Identifier) -> str:
    name: str = identifier.this
    return name if identifier.quoted else name.upper()


def _read(text: str) -> Question:
    found = _QUESTION.fullmatch(text.strip())
    directions = tuple(_DIRECTION.findall(found["edges"])) if found else ()
    if found is None or not directions:
        raise unsupported("SYSTEM$DGQL with this question")
    return Question(
        domain=found["domain"],
        by_id=found["by"] == "id",
        object=re.sub(r"\\(.)", r"\1", found["object"]),
        parent=None if found["parent"] is None else re.sub(r"\\(.)", r"\1", found["parent"]),
        directions=directions,
    )


def _edges(context: Context, question: Question, direction: str) -> Iterator[dict[str, Any]]:
    match question.domain, direction:
        case "MODULE", "upstream":
            model, version = _version(context, question)
            for source in version.sources:
                yield {"S": _source_node(context, source), "T": _version_node(model, version), "properties": {}}
        case "MODULE", "downstream":
            # Inference services and models made from models are what could stand here; the sandbox has neither.
            _version(context, question)
        case "TABLE" | "VIEW", "downstream":
            yield from _versions_made_from(context, _relation(context, question))
        case ("EXPERIMENT", "downstream") if question.parent is not None and not question.by_id:
            yield from _versions_of_run(context, question.parent, question.object)
        case (("TABLE" | "VIEW" | "DATASET" | "EXPERIMENT"), _) if question.by_id:
            return  # the client follows a model's sources further: nothing is known there
        case _:
            raise unsupported(f"lineage of a {question.domain.lower()}, {direction}")


def _version(context: Context, question: Question) -> tuple[Model, ModelVersion]:
    if not question.by_id:
        if question.parent is None:
            raise unsupported("lineage of a model without a version")
        model = model_for(context, split_name(question.parent))
        return model, model.version(split_name(question.object)[-1])
    for model in context.catalog.entries(Model):
        for version in model.versions:
            if version.id == question.object:
                return model, version
    raise missing_object("version", question.object)


def _relation(context: Context, question: Question) -> Entry:
    if question.by_id:
        found = context.catalog.by_id(question.object)
    else:
        found = context.catalog.find_relation(context.qualify(split_name(question.object)), context.session_id)
    if not isinstance(found, Table | View):
        raise missing_object("object", question.object)
    return found


def _versions_made_from(context: Context, entry: Entry) -> Iterator[dict[str, Any]]:
    for model in context.catalog.entries(Model):
        for version in model.versions:
            if any(source.get("id") == entry.id for source in version.sources):
                yield {"S": _entry_node(entry), "T": _version_node(model, version), "properties": {}}


def _versions_of_run(context: Context, experiment: str, run: str) -> Iterator[dict[str, Any]]:
    names, run_name = context.qualify(split_name(experiment)), split_name(run)[-1]
    for model in context.catalog.entries(Model):
        for version in model.versions:
            for source in version.sources:
                is_run = source["kind"] == "EXPERIMENT" and split_name(source["version"])[-1] == run_name
                if is_run and context.qualify(split_name(source["entity"])) == names:
                    yield {"S": _source_node(context, source), "T": _version_node(model, version), "properties": {}}


def _source_node(context: Context, source: Mapping[str, str]) -> dict[str, Any]:
    if "id" not in source:
        database, schema, name = context.qualify(split_name(source["entity"]))
        parent = {"parentName": name, "ParentId": source["entity"]}
        node = _node(source["kind"], source["kind"], source["version"], (database, schema), source["version"], parent)
        return node | {"createdOn": "0"}
    entry = context.catalog.by_id(source["id"])
    if entry is not None:
        return _entry_node(entry)
    database, schema, name = split_name(source["name"])
    gone = _node(source["kind"], source["kind"], name, (database, schema), source["id"], {})
    return gone | {"status": "DELETED", "createdOn": "0"}


def _entry_node(entry: Entry) -> dict[str, Any]:
    node = _node("TABLE", entry.kind, entry.name, (entry.database, entry.schema), entry.id, {})
    return node | {"createdOn": _milliseconds(entry.created)}


def _version_node(model: Model, version: ModelVersion) -> dict[str, Any]:
    parent = {"parentName": model.name, "ParentId": model.id}
    node = _node("MODULE", "MODEL", version.name, (model.database, model.schema), version.id, parent)
    return node | {"createdOn": _milliseconds(version.created)}


def _node(
    domain: str, user_domain: str, name: str, home: tuple[str, str], node_id: str, properties: dict[str, str]
) -> dict[str, Any]:
    return {
        "domain": domain,
        "refinedDomain": user_domain,
        "userDomain": user_domain,
        "name": name,
        "db": home[0],
        "schema": home[1],
        "status": "ACTIVE",
        "id": node_id,
        "properties": properties,
    }


def _milliseconds(moment: dt.datetime) -> str:
    return str(int(moment.timestamp() * 1000))
