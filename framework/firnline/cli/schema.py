"""``firnline schema``: a JSON Schema of the configuration, for completion and checks in editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from firnline.cli.job import installed

if TYPE_CHECKING:
    from firnline.domain import GuardSpec, PlatformSpec, StepSpec
    from firnline.loading import Offer, Registry

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
# Wherever a value may stand, an interpolation may, or `???` for "must be given".
_TO_RESOLVE: Final = {"type": "string", "pattern": r"\$\{.+\}|^\?\?\?$"}


@click.command()
@click.option("--stage", is_flag=True, help="The schema of an option file, which holds one stage.")
def schema(*, stage: bool) -> None:
    """Write a JSON Schema of the files in conf/, with the params of every installed step."""
    click.echo(json.dumps(make_schema(installed().registry, stage=stage), indent=2))


def make_schema(registry: Registry, *, stage: bool = False) -> dict[str, Any]:
    """Return the schema of a whole configuration, or of one stage.

    Files hold parts of a configuration, so nothing is required of them that another file may bring; the composed whole
    is checked by :func:`firnline.config.check`.
    """
    from firnline.config.settings import FIXED_NODES, StageNode

    definitions: dict[str, Any] = {}
    generic = _definition(StageNode, "node", definitions)
    for step_id, step in sorted(registry.steps.items()):
        definitions[f"step.{step_id}"] = _step(step.spec, definitions)
    definitions["stage"] = generic | {
        "title": "stage",
        "description": "A stage: the step that it uses, where its inputs come from, and the step's params.",
        "properties": generic["properties"] | {"uses": {"enum": [*sorted(registry.steps)]}},
        "allOf": [
            {"if": {"properties": {"uses": {"const": name}}, "required": ["uses"]}, "then": _ref(f"step.{name}")}
            for name in sorted(registry.steps)
        ],
    }
    head = {"$schema": _DIALECT, "title": "Firnline stage" if stage else "Firnline configuration"}
    if stage:
        return head | _ref("stage") | {"$defs": definitions}
    nodes = {
        name: _definition(node, f"node.{name}", definitions) if node else {"type": ["object", "null"]}
        for name, node in FIXED_NODES.items()
    }
    nodes["platform"] = _chosen("platform", registry.platforms, definitions)
    if registry.guards:
        guard = _chosen("guard", registry.guards, definitions)
        nodes["guard"] = {"anyOf": [guard, {"type": "null"}]}
    if registry.trackers:
        trackers = {
            name: {"anyOf": [_definition(offer.spec.params, f"tracker.{name}", definitions), {"type": "null"}]}
            for name, offer in sorted(registry.trackers.items())
        }
        several = {"type": "object", "properties": trackers, "additionalProperties": False}
        nodes["tracker"] = {"anyOf": [several, {"enum": [*sorted(trackers), None]}]}
    nodes |= {"defaults": {"type": "array", "description": "the options that are chosen"}, "hydra": {"type": "object"}}
    stages = {"anyOf": [_ref("stage"), {"type": "null"}]}
    return head | {"type": "object", "properties": nodes, "additionalProperties": stages, "$defs": definitions}


def _step(spec: StepSpec, definitions: dict[str, Any]) -> dict[str, Any]:
    link = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    inputs = {
        name: link | {"description": port.description or port.kind.__name__} for name, port in spec.inputs.items()
    }
    return {
        "description": spec.summary,
        "properties": {
            "params": _definition(spec.params, f"params.{spec.id}", definitions),
            "inputs": {"type": "object", "properties": inputs, "additionalProperties": False},
        },
    }


def _chosen(
    kind: str, offers: Mapping[str, Offer[PlatformSpec]] | Mapping[str, Offer[GuardSpec]], definitions: dict[str, Any]
) -> dict[str, Any]:
    """Return the schema of a node whose ``name`` chooses what the other keys are."""

    def one(spec: PlatformSpec | GuardSpec) -> dict[str, Any]:
        model = _definition(spec.params, f"{kind}.{spec.name}", definitions)
        return model | {"properties": {"name": {"const": spec.name}, **model.get("properties", {})}}

    names = sorted(offers)
    return {
        "type": "object",
        "properties": {"name": {"enum": names}},
        "allOf": [
            {
                "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
                "then": one(offers[name].spec),
            }
            for name in names
        ],
    }


def _definition(model: type[Any], prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a model's schema; its own definitions go to those of the document, under names that are only its own."""
    body: dict[str, Any] = model.model_json_schema()
    inner = body.pop("$defs", {})
    names = {f"#/$defs/{name}": f"#/$defs/{prefix}.{name}" for name in inner}
    for name, definition in inner.items():
        definitions[f"{prefix}.{name}"] = _for_files(definition, names)
    adapted: dict[str, Any] = _for_files(body, names)
    return adapted


def _for_files(node: Any, names: Mapping[str, str]) -> Any:
    """Adapt a schema to files: references renamed, nothing required, interpolations allowed."""
    if isinstance(node, list):
        return [_for_files(item, names) for item in node]
    if not isinstance(node, dict):
        return node
    adapted = {
        key: names.get(value, value) if key == "$ref" else _for_files(value, names)
        for key, value in node.items()
        if key != "required" or not isinstance(value, list)
    }
    if isinstance(node.get("properties"), dict):
        adapted["properties"] = {
            name: {"anyOf": [_for_files(value, names), _TO_RESOLVE]} | _about(value)
            for name, value in node["properties"].items()
        }
    return adapted


def _about(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an editor shows of a field, which must stand on the outside."""
    return {key: field[key] for key in ("title", "description", "default") if key in field}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}
