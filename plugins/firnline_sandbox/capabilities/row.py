"""One row of the capability table, and the short ways to write one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["supported", "partial", "refused"]
Language = Literal["sql", "python"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What the sandbox does with one of Snowflake's features, and an example that proves it.

    Attributes:
        area: the heading under which it stands.
        what: the feature.
        state: supported; partial, then ``note`` says what is different; refused.
        note: every known deviation.
        example: statements that run one after the other after ``PREPARATION``; or lines of Python that find a Snowpark
            session as ``session`` and leave their finding as ``answer``.
        gives: the rows of the last statement, or the answer; None for what is refused.
        says: the feature's name in the error of the last statement, if it is refused.
    """

    area: str
    what: str
    state: State
    note: str = ""
    example: tuple[str, ...]
    gives: Any = None
    says: str = ""
    language: Language = "sql"


@dataclass(frozen=True, slots=True)
class Area:
    """Makes the rows under one heading."""

    name: str

    def supported(self, what: str, *example: str, gives: Any, note: str = "", language: Language = "sql") -> Capability:
        """Make a row for what works; ``note`` tells more about it."""
        return Capability(
            area=self.name, what=what, state="supported", note=note, example=example, gives=gives, language=language
        )

    def partial(self, what: str, *example: str, gives: Any, note: str, language: Language = "sql") -> Capability:
        """Make a row for what works differently; the example shows how."""
        return Capability(
            area=self.name, what=what, state="partial", note=note, example=example, gives=gives, language=language
        )

    def refused(self, what: str, *example: str, says: str, note: str = "") -> Capability:
        """Make a row for what fails by name."""
        return Capability(area=self.name, what=what, state="refused", note=note, example=example, says=says)
