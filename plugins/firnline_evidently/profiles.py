"""The reference's profile, from the model version that keeps it or from the reference; what must fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.errors import DataError
from firnline_evidently.kept import find_kept, keep
from firnline_evidently.reference import build_profile, column_kinds, settings_of

if TYPE_CHECKING:
    from firnline.domain import RegisteredModel, StepContext, Table
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.profile import Profile


def reference_profile(
    context: StepContext,
    params: MonitorParams,
    table: Table,
    source: str,
    model: RegisteredModel | None,
    *,
    port: str,
) -> Profile:
    """Take the counts kept with the model version, or count the rows and keep the counts there.

    Args:
        context: of the stage.
        params: of the monitor.
        table: the reference.
        source: the same, or a query of some of its rows in parentheses.
        model: the version that keeps the counts; None: they are counted each time.
        port: by which the table came in.
    """
    identity = f"{context.input_keys.get(port, table.name)} {source if params.season else ''}".strip()
    if model is not None:
        kept = find_kept(context, model, port, identity, settings_of(params))
        if kept is not None:
            context.logger.info("the counts of %s were kept with %s version %s", port, model.name, model.version)
            return kept
    context.progress(f"counting the {port.replace('_', ' ')}", table.rows)
    profile = build_profile(context.session, table.name, source, params)
    if model is not None:
        keep(context, model, port, identity, profile)
    return profile


def check_columns(context: StepContext, reference: Profile, current: str, what: str) -> None:
    """Refuse a table whose columns do not fit those of the reference.

    Raises:
        DataError: one is missing, or of another kind.
    """
    kinds = column_kinds(context.session, current)
    for column in reference.columns:
        if column.name not in kinds:
            raise DataError(
                f"{what} have no column {column.name!r}",
                hint="leave it out with monitor.params.ignore, if it is not theirs to have (a label, for one)",
            )
        if kinds[column.name] != column.kind:
            raise DataError(
                f"column {column.name!r} is a {column.kind} in the reference, in {what} a {kinds[column.name]}",
                hint="the feature pipeline has changed its type: train anew, or mend it",
            )
