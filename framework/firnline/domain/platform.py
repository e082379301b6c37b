"""A platform is where tables live and compute is paid: a real Snowflake account or the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from firnline.domain.params import Params

if TYPE_CHECKING:
    from snowflake.snowpark import Session


class Platform(Protocol):
    """An opened platform. Methods may be called from several threads at once."""

    def session(self, query_tag: str) -> Session:
        """Return a Snowpark session of the calling stage; its queries carry ``query_tag``. The caller closes it."""

    def schema(self) -> str:
        """Return the fully qualified schema in which stages make their tables, for example ``FIRNLINE.PUBLIC``."""

    def missing(self, tables: Collection[str]) -> frozenset[str]:
        """Return those of the fully qualified ``tables`` that do not exist. Must not import the Snowpark client."""

    def table_state(self, table: str) -> str:
        """Return a text that changes whenever the table's rows or columns change."""

    def publish(self, name: str, table: str) -> None:
        """Make ``name`` (in :meth:`schema`) show the rows of ``table``, replacing what it showed, in one step."""

    def discard(self, tables: Collection[str]) -> None:
        """Drop tables that an unfinished stage left behind; those that do not exist are ignored."""

    def close(self) -> None:
        """Cancel what is still running and let go of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSpec:
    """What a plugin registers for a platform.

    Attributes:
        name: what stands in ``platform.name``.
        summary: one sentence.
        params: the pydantic model of the other keys of the ``platform`` node.
        open: takes (params, project folder) and returns an opened platform; imports its SDK only when needed.
        identity: takes (params, project folder) and returns a text that is part of every stage's key, so that results
            of one account or sandbox are never taken for another's. Cheap, without a connection.
        supports: capabilities that stages may ask for in ``resources``; a plan that asks for more is refused.
        lacks: capability → why not (for a clear refusal).
        modules: import names that must be installed.
        extra: the extra of Firnline that installs them.
    """

    name: str
    summary: str
    params: type[Params]
    open: Callable[[Any, Path], Platform]
    identity: Callable[[Any, Path], str]
    supports: frozenset[str] = frozenset()
    lacks: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    extra: str | None = None
