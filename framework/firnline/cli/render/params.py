"""What a params model accepts, in words: read from its JSON Schema, so that every constraint is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from firnline.domain.params import Params

_LIMITS = (
    ("minimum", "≥ {}"),
    ("exclusiveMinimum", "> {}"),
    ("maximum", "≤ {}"),
    ("exclusiveMaximum", "< {}"),
    ("multipleOf", "a multiple of {}"),
    ("minLength", "{} or more characters"),
    ("maxLength", "at most {} characters"),
    ("pattern", "like {}"),
    ("minItems", "{} or more items"),
    ("maxItems", "at most {} items"),
)
MAX_DEPTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamRow:
    """One param of a step.

    Attributes:
        name: dotted when it is part of a nested model.
        type: in words, for example ``integer ≥ 1`` or ``"sum" or "mean"``.
        default: as one would write it; None if the param must be given.
        description: what it is for.
    """

    name: str
    type: str
    default: str | None
    description: str


def param_rows(model: type[Params]) -> list[ParamRow]:
    """Return the params of a model in their order, those of nested models below the one that holds them."""
    schema = model.model_json_schema(mode="validation")
    return list(_rows(schema, schema.get("$defs", {}), "", 0))


def _rows(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str, depth: int) -> Iterable[ParamRow]:
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        default = None if name in required else json.dumps(field.get("default"), ensure_ascii=False, default=str)
        if name not in required and "default" not in field:
            default = "(computed)"
        yield ParamRow(
            name=prefix + name,
            type=_type(field, definitions, 0),
            default=default,
            description=str(field.get("description", "")),
        )
        inner = _resolved(field, definitions)
        if "properties" in inner and depth < MAX_DEPTH:
            yield from _rows(inner, definitions, f"{prefix}{name}.", depth + 1)


def _resolved(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref")
    resolved = definitions.get(reference.rpartition("/")[2], {}) if isinstance(reference, str) else field
    return resolved if isinstance(resolved, Mapping) else {}


def _type(field: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> str:
    if depth > MAX_DEPTH:
        return "…"
    field = {**_resolved(field, definitions), **{key: field[key] for key in field if key != "$ref"}}
    for key in ("anyOf", "oneOf"):
        if key in field:
            return " or ".join(dict.fromkeys(_type(option, definitions, depth + 1) for option in field[key]))
    if "const" in field:
        return json.dumps(field["const"], ensure_ascii=False)
    if "enum" in field:
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in field["enum"])
    text = _kind(field, definitions, depth)
    for key, words in _LIMITS:
        if key in field and not (key.endswith("Items") and "prefixItems" in field):
            limit = words.format(field[key])
            text += f" {limit}" if limit[0] in "≥>≤<" and text[-1].isalpha() else f", {limit}"
    return text


def _kind(field: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> str:
    match field.get("type"):
        case "array":
            items = field.get("items")
            if isinstance(items, Mapping) and items:
                return f"list of {_type(items, definitions, depth + 1)}"
            if parts := field.get("prefixItems"):
                return "[" + ", ".join(_type(part, definitions, depth + 1) for part in parts) + "]"
            return "list"
        case "object":
            values = field.get("additionalProperties")
            if isinstance(values, Mapping):
                return f"mapping of names to {_type(values, definitions, depth + 1)}"
            return "mapping"
        case str() as kind:
            return f"{kind} ({field['format']})" if "format" in field else kind
        case _:
            return "any value"
