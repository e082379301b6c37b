"""Which columns the network learns from: as the profile says, or told by the table's own types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firnline.errors import DataError
from firnline_torch.columns import FEATURE_KINDS, column_kinds, resolve
from firnline_torch.target import Target, count_labels, find_target

if TYPE_CHECKING:
    from firnline.domain import StepContext, Table, Value
    from firnline_torch.columns import Kind
    from firnline_torch.params import TorchParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the columns of the training table are for.

    Attributes:
        target: what is predicted.
        kinds: of the features, in order.
        order: columns that tell rows apart, so that they can be put into an order that is always the same.
        left_out: columns that are no features, as (name, why) pairs.
    """

    target: Target
    kinds: dict[str, Kind]
    order: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def assign_roles(context: StepContext, params: TorchParams, table: Table, profile: Value | None) -> Roles:
    """Decide what each column of the training table is for.

    Raises:
        DataError: there is no target, nothing is left to learn from, or a class has no row.
    """
    kinds = column_kinds(context.session, table.name)
    names, where = list(kinds), f"stage {context.stage}"
    identifiers = set(resolve(params.identifiers, names, where=where))
    set_aside = set(resolve(params.set_aside, names, where=where))
    if profile is not None:
        known = _checked(profile.load(), where)
        found = known.target
        target = Target(name=found.name, kind=kinds[found.name], task=found.task, classes=tuple(found.classes))
        identifiers |= set(known.identifiers)
        candidates = [name for name in known.features if name in kinds]
    elif params.target is None:
        raise DataError(f"{where}: no target is named", hint=f"say {context.stage}.params.target=COLUMN")
    else:
        [name] = resolve([params.target], names, where=where)
        target = find_target(context.session, table.name, name, kinds[name], params.task)
        candidates = [column for column in names if column != name]
    features = [name for name in candidates if name not in identifiers | set_aside and kinds[name] in FEATURE_KINDS]
    if not features:
        raise DataError(f"{where}: no column is left to learn from", hint="each one was set aside; see its report")
    _refuse_absent_classes(context, table, target)
    return Roles(
        target=target,
        kinds={name: kinds[name] for name in features},
        order=tuple(name for name in names if name in identifiers),
        left_out=tuple(
            (name, _why(name, kinds[name], identifiers, set_aside))
            for name in names
            if name not in features and name != target.name
        ),
    )


def _checked(profile: Any, where: str) -> Any:
    """Return the profile: any object that names target, identifiers and features."""
    if absent := [name for name in ("target", "identifiers", "features") if not hasattr(profile, name)]:
        raise DataError(
            f"{where}: the profile is a {type(profile).__name__} without {', '.join(absent)}",
            hint="connect prepare.tabular's profile",
        )
    return profile


def _refuse_absent_classes(context: StepContext, table: Table, target: Target) -> None:
    if target.task == "regression":
        return
    present = count_labels(context.session, table.name, target.name, target.kind)
    if absent := [label for label in target.classes if label not in present]:
        raise DataError(
            f"no training row has {target.name} = {', '.join(repr(label) for label in absent[:5])}",
            hint="such rare classes are better merged or removed; or split with another seed, or stratified",
        )


def _why(name: str, kind: Kind, identifiers: set[str], set_aside: set[str]) -> str:
    if name in identifiers:
        return "names a row"
    if name in set_aside:
        return "set aside by the params"
    return "neither number, flag nor text" if kind not in FEATURE_KINDS else "set aside by the profile"
