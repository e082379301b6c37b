"""Lists for the page of capabilities, taken from the registries in which the parts of the sandbox enter themselves."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline_sandbox import parameters
from firnline_sandbox.statements import information_schema, registry
from firnline_sandbox.translate import absent_functions, functions, table_functions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """Names under a title of the page."""

    title: str
    text: str
    names: Callable[[], Sequence[str]]


def statements() -> list[str]:
    """List the beginnings of all statements that somebody carries out."""
    return [" ".join(words) for words in registry.statements()]


def built_in_functions() -> list[str]:
    """List the scalar, aggregate and window functions, and the system functions."""
    registry.load_builtin()
    importlib.import_module("firnline_sandbox.translate.query")
    found = {name for name in functions.names() if name != "SYSTEM$"}
    return sorted(found | set(registry.system_functions()))


def built_in_table_functions() -> list[str]:
    """List the functions that stand in FROM."""
    registry.load_builtin()
    return sorted({*table_functions.BUILT_IN, *registry.table_functions()})


def absent() -> list[str]:
    """List Snowflake's functions that are refused by name, families of them by their prefix."""
    families = [f"{prefix}*" for prefix in absent_functions.PREFIXES]
    return sorted({*absent_functions.FUNCTIONS, *absent_functions.TABLE_FUNCTIONS}) + families


def views() -> list[str]:
    """List the views of INFORMATION_SCHEMA and ACCOUNT_USAGE."""
    return [f"{schema}.{name}" for schema, name in information_schema.views()]


LISTS: Final = (
    NameList(title="Statements", text="What a statement may begin with; anything else is refused.", names=statements),
    NameList(title="Functions that are there", text="By name, all families.", names=built_in_functions),
    NameList(
        title="Table functions that are there", text="In TABLE(...) or after LATERAL.", names=built_in_table_functions
    ),
    NameList(
        title="Functions that are refused by name", text="Snowflake has them, the sandbox does not.", names=absent
    ),
    NameList(
        title="Views of INFORMATION_SCHEMA and ACCOUNT_USAGE",
        text="Another view of these schemas is refused by name.",
        names=views,
    ),
    NameList(
        title="Session parameters that have an effect",
        text="Parameters that change formats and weeks have their defaults and take no other value; those about caching"
        " and transport are taken and change nothing.",
        names=lambda: sorted(parameters.OBEYED),
    ),
)
