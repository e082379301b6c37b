"""The cleaning steps: raw tables in, typed tables out, and an account of what was removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firnline.domain import Grid, Metrics, Report, Text
from firnline_snowpark.prepare.apply import cleaning, counted
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline.domain import Artifact, StepContext, Table
    from firnline_snowpark.prepare.rules import CleanParams, CleanTableParams, TableRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of one table.

    Attributes:
        port: the table's port.
        before: rows of the raw table.
        after: rows of the clean one.
        incomplete: rows removed because a required value is missing.
        malformed: column → values that could not be read and became NULL.
        filled: column → NULLs that got a value.
    """

    port: str
    before: int
    after: int
    incomplete: int
    malformed: Mapping[str, int] = field(default_factory=dict)
    filled: Mapping[str, int] = field(default_factory=dict)

    @property
    def duplicates(self) -> int:
        """Rows removed because another one of the same key was kept."""
        return self.before - self.incomplete - self.after


def run(
    context: StepContext, params: CleanParams, customers: Table, events: Table, tickets: Table
) -> Mapping[str, Artifact]:
    """Clean the three tables of a subscription business."""
    outputs: dict[str, Artifact] = {}
    accounts = []
    for port, raw, rules in (
        ("customers", customers, params.customers),
        ("events", events, params.events),
        ("tickets", tickets, params.tickets),
    ):
        outputs[port], account = _clean(context, port, raw, rules)
        accounts.append(account)
    return outputs | _findings(accounts)


def run_table(context: StepContext, params: CleanTableParams, table: Table) -> Mapping[str, Artifact]:
    """Clean one table."""
    clean, account = _clean(context, "table", table, params.rules)
    return {"table": clean} | _findings([account])


def _clean(context: StepContext, port: str, raw: Table, rules: TableRules) -> tuple[Table, Account]:
    context.progress(f"cleaning {port}")
    place = "rules" if port == "table" else port
    work = cleaning(context.session.table(raw.name), rules, where=f"{context.stage}.params.{place}")
    counts = counted(work)
    clean = write_table(context, work.clean, port)
    account = Account(
        port=port,
        before=counts["rows"],
        after=clean.rows or 0,
        incomplete=counts.get("incomplete", 0),
        malformed=_part(counts, "malformed"),
        filled=_part(counts, "filled"),
    )
    context.progress(f"cleaned {port}", clean.rows)
    return clean, account


def _part(counts: Mapping[str, int], kind: str) -> dict[str, int]:
    return {name.partition("/")[2]: count for name, count in counts.items() if name.startswith(f"{kind}/")}


def _findings(accounts: Sequence[Account]) -> dict[str, Artifact]:
    metrics: dict[str, float] = {}
    for account in accounts:
        metrics |= {
            f"{account.port}_rows": float(account.after),
            f"{account.port}_duplicates": float(account.duplicates),
            f"{account.port}_incomplete": float(account.incomplete),
            f"{account.port}_malformed": float(sum(account.malformed.values())),
        }
    return {"metrics": Metrics(values=metrics), "report": _report(accounts)}


def _report(accounts: Sequence[Account]) -> Report:
    rows = Grid(
        title="Rows",
        columns=("table", "raw", "incomplete", "duplicates", "clean"),
        rows=tuple((a.port, a.before, a.incomplete, a.duplicates, a.after) for a in accounts),
    )
    values = [
        (a.port, column, a.malformed.get(column, 0), a.filled.get(column, 0))
        for a in accounts
        for column in dict.fromkeys([*a.malformed, *a.filled])
        if a.malformed.get(column) or a.filled.get(column)
    ]
    if not values:
        return Report(title="Cleaning", sections=(rows, Text(body="Every value could be read, and none was missing.")))
    columns = ("table", "column", "unreadable, now NULL", "NULL, now filled")
    return Report(title="Cleaning", sections=(rows, Grid(title="Values", columns=columns, rows=tuple(values))))
