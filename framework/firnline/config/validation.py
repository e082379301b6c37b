"""Validate a node with its pydantic model; every complaint becomes a problem with path, value and nearest name."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from firnline.config.names import nearest
from firnline.errors import Problem

Model = TypeVar("Model", bound=BaseModel)
_VALUE_LIMIT = 80


def validate(model: type[Model], data: Any, path: str, problems: list[Problem], what: str = "key") -> Model | None:
    """Return the validated node, or None after adding the problems.

    Args:
        model: the pydantic model.
        data: plain data as composed; None stands for an empty mapping.
        path: config path of the node.
        problems: gets what is wrong.
        what: how to call an unknown key: ``key`` or ``param``.
    """
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        problems.append(Problem(path=path, message="it must be a mapping", value=_shown(data)))
        return None
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        problems += [_problem(model, details, path, what) for details in error.errors(include_url=False)]
        return None


def field_type(model: type[BaseModel], name: str) -> str:
    """Describe a field's type with its range or choices, for example ``int from 1 to 20``."""
    info = model.model_fields[name]
    limits = {}
    for constraint in info.metadata:
        for attribute in ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern"):
            if (value := getattr(constraint, attribute, None)) is not None:
                limits[attribute] = value
    text = _type_name(info.annotation)
    if limits:
        signs = {
            "gt": ">",
            "ge": ">=",
            "lt": "<",
            "le": "<=",
            "min_length": "length >=",
            "max_length": "length <=",
            "pattern": "matching",
        }
        text += ", " + " and ".join(f"{signs[key]} {value}" for key, value in limits.items())
    return text


def _problem(model: type[BaseModel], details: Any, path: str, what: str) -> Problem:
    where = ".".join([path, *(str(part) for part in details["loc"] if not _is_branch(part))])
    names = _fields_at(model, details["loc"][:-1])
    last = str(details["loc"][-1]) if details["loc"] else ""
    match details["type"]:
        case "extra_forbidden":
            return Problem(
                path=where,
                message=f"there is no {what} {last!r}",
                value=_shown(details["input"]),
                expected=f"one of {', '.join(sorted(names))}" if names else f"no {what} at all",
                nearest=nearest(last, names),
            )
        case "missing":
            return Problem(path=where, message="a value must be given", expected=_expected(model, details["loc"]))
        case _:
            message = str(details["msg"]).removeprefix("Value error, ")
            return Problem(
                path=where,
                message=message[:1].lower() + message[1:],
                value=_shown(details["input"]),
                expected=_expected(model, details["loc"]),
            )


def _is_branch(part: Any) -> bool:
    """Tell whether a part of pydantic's location names a branch of a union and not a key."""
    return isinstance(part, str) and (part in {"str", "int", "float", "bool"} or "[" in part)


def _fields_at(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    current: Any = model
    for part in location:
        if not (isinstance(current, type) and issubclass(current, BaseModel)) or part not in current.model_fields:
            return []
        current = current.model_fields[part].annotation
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _expected(model: type[BaseModel], location: tuple[Any, ...]) -> str | None:
    if len(location) >= 1 and location[0] in model.model_fields:
        return field_type(model, str(location[0])) if len(location) == 1 else None
    return None


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(str(argument) for argument in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type_name(argument) for argument in arguments)
    if origin is not None:
        inner = ", ".join("…" if argument is Ellipsis else _type_name(argument) for argument in arguments)
        name = getattr(origin, "__name__", str(origin))
        return _type_name(arguments[0]) if name == "Annotated" else f"{name}[{inner}]"
    if annotation is type(None):
        return "null"
    return getattr(annotation, "__name__", str(annotation))


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _VALUE_LIMIT else text[: _VALUE_LIMIT - 1] + "…"
