"""``prepare.tabular``: what each column is for, and a table with only what a model can use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_column, resolve_columns
from firnline_snowpark.rows import column_kinds
from firnline_snowpark.tabular.decide import decide
from firnline_snowpark.tabular.profile import ColumnProfile, Profile
from firnline_snowpark.tabular.report import profile_report
from firnline_snowpark.tabular.statistics import column_statistics, duplicate_rows
from firnline_snowpark.tabular.target import examine_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firnline.domain import Outputs, StepContext
    from firnline_snowpark.tabular.params import TabularParams

_PARTS = {
    "DAYS": "DATEDIFF('day', TO_DATE('1970-01-01'), {column})",
    "MONTH": "MONTH({column})",
    "WEEKDAY": "DAYOFWEEKISO({column})",
    "HOUR": "HOUR({column})",
}


def run(context: StepContext, params: TabularParams, table: Table) -> Outputs:
    """Give each column a role, and write the identifiers, the features and the target into a fresh table.

    Dates become numbers: days since 1970, month, weekday (1 is Monday), and the hour of timestamps.

    Raises:
        DataError: there is no such target, it cannot be learned, or no feature is left.
    """
    session, where = context.session, f"stage {context.stage}"
    kinds = column_kinds(session, table.name)
    names = list(kinds)
    target_name = resolve_column(params.target, names, where=where)
    named = resolve_columns(params.identifiers, names, where=where)
    resolved = params.model_copy(
        update={
            "set_aside": resolve_columns(params.set_aside, names, where=where),
            "features": resolve_columns(params.features, names, where=where),
        }
    )
    target = examine_target(
        session,
        table.name,
        target_name,
        kinds[target_name],
        task=params.task,
        positive=params.positive,
        max_classes=params.max_classes,
    )
    context.progress(f"{target.name} is {target.task}: {target.note}")
    rows, statistics = column_statistics(session, table.name, kinds)
    columns = [decide(column, rows, resolved, target=target.name, named=named) for column in statistics]
    profile = Profile(rows=rows, target=target, columns=tuple(_named_parts(columns)))
    if not profile.features:
        raise DataError(
            f"{where}: no column is left to learn from, of {len(columns)}",
            hint="the params `features` keeps columns that were set aside: "
            + "; ".join(f"{column.name} ({column.note})" for column in columns if column.note)[:400],
        )
    copies = duplicate_rows(session, table.name, [column.name for column in columns if column.role != "identifier"])
    everything, labelled = _write(context, table.name, profile)
    return {
        "table": labelled,
        "rows": everything,
        "profile": context.save(profile, "profile.pkl"),
        "report": profile_report(profile, copies),
    }


def _named_parts(columns: Iterable[ColumnProfile]) -> list[ColumnProfile]:
    """Give date columns the names of the numbers that stand for them."""
    columns = list(columns)
    taken = {column.name for column in columns}
    named = []
    for column in columns:
        if column.role == "feature" and column.kind in {"date", "timestamp"}:
            parts = list(_PARTS)[: 4 if column.kind == "timestamp" else 3]
            own = tuple(_free(f"{column.name}_{part}", taken) for part in parts)
            note = "; ".join(part for part in (column.note, f"kept as {', '.join(own)}") if part)
            column = replace(column, columns=own, note=note)
        named.append(column)
    return named


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _write(context: StepContext, source: str, profile: Profile) -> tuple[Table, Table]:
    """Write all rows, and those whose target is known where that is not all of them."""
    selected = [pair for column in profile.columns for pair in _expressions(column)]
    listed = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in selected)
    columns = tuple(name for name, _ in selected)
    everything = Table(name=context.table_name("rows"), rows=profile.rows, columns=columns)
    context.session.sql(
        f"CREATE TABLE {everything.name} AS SELECT {listed} FROM {source}"  # noqa: S608 (identifiers are quoted)
    ).collect()
    if not profile.target.missing:
        return everything, everything
    labelled = Table(name=context.table_name("table"), rows=profile.rows - profile.target.missing, columns=columns)
    context.session.sql(
        f"CREATE TABLE {labelled.name} AS SELECT * FROM {everything.name} "  # noqa: S608 (identifiers are quoted)
        f"WHERE {quoted(profile.target.name)} IS NOT NULL"
    ).collect()
    return everything, labelled


def _expressions(column: ColumnProfile) -> list[tuple[str, str]]:
    if column.columns == (column.name,):
        return [(column.name, quoted(column.name))]
    sql = quoted(column.name)
    return [(name, part.format(column=sql)) for name, part in zip(column.columns, _PARTS.values(), strict=False)]
