"""``firnline schema``: a JSON Schema of the configuration, for completion and checks in editors."""

from __future__ import annotations

import json
from typing import Any

import click

from firnline.cli.run import installed


@click.command()
def schema() -> None:
    """Write a JSON Schema of a composed configuration, with the params of every installed step."""
    from firnline.config.settings import FIXED_NODES, StageNode

    registry = installed().registry
    settings = {name: node.model_json_schema() if node else {"type": "object"} for name, node in FIXED_NODES.items()}
    settings["platform"] = {
        "oneOf": [_with_name(offer.spec.params.model_json_schema(), name) for name, offer in registry.platforms.items()]
    }
    stages = [_stage(StageNode.model_json_schema(), offer.spec) for offer in registry.steps.values()]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Firnline configuration",
        "type": "object",
        "properties": settings,
        "additionalProperties": {"oneOf": stages},
    }
    click.echo(json.dumps(document, indent=2))


def _with_name(model: dict[str, Any], name: str) -> dict[str, Any]:
    properties = {"name": {"const": name}, **model.get("properties", {})}
    return {**model, "properties": properties, "required": ["name", *model.get("required", [])]}


def _stage(node: dict[str, Any], spec: Any) -> dict[str, Any]:
    link = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    properties = {
        **node["properties"],
        "uses": {"const": spec.id, "description": spec.summary},
        "params": spec.params.model_json_schema(),
        "inputs": {
            "type": "object",
            "properties": {name: {**link, "description": port.description} for name, port in spec.inputs.items()},
            "required": [name for name, port in spec.inputs.items() if not port.optional],
            "additionalProperties": False,
        },
    }
    return {**node, "title": spec.id, "properties": properties}
