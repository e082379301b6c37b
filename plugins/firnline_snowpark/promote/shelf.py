"""The registry of one schema as the commands ask it: names that people type, promotion by hand, rollback."""

from __future__ import annotations

import difflib
from functools import cached_property
from typing import TYPE_CHECKING

from firnline.errors import UsageError
from firnline_snowpark.promote.history import Decision, carry_out, now, previous_holder, versions_with_history
from firnline_snowpark.promote.versions import holder_of, listed_versions, model_names
from firnline_snowpark.register.model import registry_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snowflake.ml.registry import Registry
    from snowflake.snowpark import Session

    from firnline_snowpark.promote.history import Verdict
    from firnline_snowpark.promote.versions import ListedVersion


class Shelf:
    """The models of a schema."""

    def __init__(self, session: Session, schema: str) -> None:
        self._session = session
        self._schema = schema

    @cached_property
    def _registry(self) -> Registry:
        return registry_in(self._session, self._schema)

    def names(self) -> tuple[str, ...]:
        """Return the models' names in order."""
        return model_names(self._session, self._schema)

    def name(self, typed: str) -> str:
        """Return the exact name of a model that somebody typed.

        Raises:
            UsageError: there is none, naming the nearest.
        """
        names = self.names()
        if not names:
            raise UsageError(
                f"no model is registered in {self._schema}", hint="the step register.model registers one: firnline run"
            )
        return _found(typed, names, f"there is no model {typed!r} in {self._schema}")

    def versions(self, model: str) -> list[ListedVersion]:
        """Return a model's versions, oldest first."""
        return listed_versions(self._registry, model)

    def version(self, model: str, typed: str) -> ListedVersion:
        """Return the version with a name or an alias that somebody typed.

        Raises:
            UsageError: there is none, naming the nearest.
        """
        versions = self.versions(model)
        known = {alias: version for version in versions for alias in version.aliases}
        known |= {version.name: version for version in versions}
        return known[_found(typed, list(known), f"model {model} has no version {typed!r}")]

    def promote(self, model: str, version: str, alias: str, note: str) -> tuple[str | None, str]:
        """Move the alias to a version; return who had it and who has it."""
        holder = holder_of(versions_with_history(self._registry, model, alias), alias)
        if holder != version:
            self._move(model, version, alias, holder, "by hand", note)
        return holder, version

    def roll_back(self, model: str, alias: str, note: str) -> tuple[str | None, str]:
        """Move the alias to the version that had it before; return who had it and who has it.

        Raises:
            UsageError: no version has it, or none is known to have had it before.
        """
        versions = versions_with_history(self._registry, model, alias)
        holder = holder_of(versions, alias)
        before = previous_holder(versions, alias)
        if holder is None:
            raise UsageError(
                f"no version of {model} is {alias.upper()}", hint=f"firnline models promote {model} VERSION --note …"
            )
        if before is None:
            raise UsageError(
                f"no other version of {model} is known to have been {alias.upper()} before {holder}",
                hint=f"`firnline models show {model}` lists the versions; promote one of them by name",
            )
        self._move(model, before, alias, holder, "rolled back", note)
        return holder, before

    def _move(self, model: str, version: str, alias: str, holder: str | None, verdict: Verdict, note: str) -> None:
        [owner] = self._session.sql("SELECT CURRENT_USER() || ' as ' || CURRENT_ROLE()").collect()
        decision = Decision(
            version=version,
            alias=alias.upper(),
            verdict=verdict,
            reason=f"asked for by firnline models {'rollback' if verdict == 'rolled back' else 'promote'}",
            previous=holder,
            at=now(),
            by=str(owner[0]),
            note=note,
            numbers={},
        )
        carry_out(self._registry, model, decision)


def _found(typed: str, names: Iterable[str], message: str) -> str:
    known = list(names)
    if typed in known:
        return typed
    if typed.upper() in known:
        return typed.upper()
    nearest = difflib.get_close_matches(typed.upper(), known, n=1)
    listed = f"there are {', '.join(known[:10])}{', …' if len(known) > 10 else ''}"
    raise UsageError(message, hint=f"did you mean {nearest[0]}? {listed}" if nearest else listed)
