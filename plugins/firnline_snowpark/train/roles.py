"""Which columns a trainer learns from: as the profile says, or told by the table's own types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline.errors import DataError
from firnline_snowpark.columns import resolve_column, resolve_columns
from firnline_snowpark.rows import FEATURE_KINDS, LearningTask, column_kinds
from firnline_snowpark.tabular.profile import Profile
from firnline_snowpark.tabular.target import examine_target

if TYPE_CHECKING:
    from firnline.domain import StepContext, Table, Value
    from firnline_snowpark.rows import Kind
    from firnline_snowpark.train.params import TrainParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the columns of the training table are for.

    Attributes:
        task: what is predicted from what.
        kinds: of the features, in order.
        order: columns that put the rows into an order that is always the same.
        left_out: columns that are no features, as (name, why) pairs.
    """

    task: LearningTask
    kinds: dict[str, Kind]
    order: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def numbers(self) -> list[str]:
        """Features that are numbers or flags."""
        return [name for name, kind in self.kinds.items() if kind != "text"]

    @property
    def texts(self) -> list[str]:
        """Features that are categories."""
        return [name for name, kind in self.kinds.items() if kind == "text"]


def assign_roles(context: StepContext, params: TrainParams, table: Table, profile: Value | None) -> Roles:
    """Decide what each column of the training table is for.

    Raises:
        DataError: there is no target, or nothing is left to learn from.
    """
    kinds = column_kinds(context.session, table.name)
    names = list(kinds)
    where = f"stage {context.stage}"
    known = profile.load() if profile is not None else None
    if known is not None and not isinstance(known, Profile):
        raise DataError(f"{where}: the profile is a {type(known).__name__}", hint="connect prepare.tabular's profile")
    identifiers = set(resolve_columns(params.identifiers, names, where=where))
    set_aside = set(resolve_columns(params.set_aside, names, where=where))
    if known is not None:
        target = known.target
        identifiers |= set(known.identifiers)
        candidates = [name for name in known.features if name in kinds]
    else:
        if params.target is None:
            raise DataError(f"{where}: no target is named", hint=f"say {context.stage}.params.target=COLUMN")
        name = resolve_column(params.target, names, where=where)
        target = examine_target(context.session, table.name, name, kinds[name], task=params.task)
        candidates = [name for name in names if name != target.name]
    features = [name for name in candidates if name not in identifiers | set_aside and kinds[name] in FEATURE_KINDS]
    if not features:
        raise DataError(f"{where}: no column is left to learn from", hint="each one was set aside; see its report")
    return Roles(
        task=LearningTask(features=tuple(features), target=target.name, task=target.task, classes=target.classes),
        kinds={name: kinds[name] for name in features},
        order=tuple(name for name in names if name in identifiers) or tuple(features),
        left_out=tuple(
            (name, _why(name, kinds[name], identifiers, set_aside))
            for name in names
            if name not in features and name != target.name
        ),
    )


def _why(name: str, kind: Kind, identifiers: set[str], set_aside: set[str]) -> str:
    if name in identifiers:
        return "names a row"
    if name in set_aside:
        return "set aside by the params"
    return f"{kind} values are no features" if kind not in FEATURE_KINDS else "set aside by the profile"
