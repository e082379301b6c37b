"""``register.model``: a version in the Model Registry, with what must be known of it; refused without.

The version is named after the stage's content key. A run that was killed after the registry had the version, and before
the record had it, finds it there: it is completed and checked, not made twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Grid, RegisteredModel, Report, Text
from firnline.errors import DataError, TransientError
from firnline_snowpark.columns import quoted
from firnline_snowpark.object_names import split_name, written
from firnline_snowpark.register.facts import IDENTITY, NAME, VersionFacts, gather
from firnline_snowpark.register.packaging import needs_quotes, registry_task, requirements, signatures
from firnline_snowpark.register.parity import refuse_other_predictions
from firnline_snowpark.rows import column_kinds, feature_sql
from firnline_snowpark.tables import stop_if_cancelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.ml.model import ModelVersion
    from snowflake.ml.registry import Registry
    from snowflake.snowpark import Session

    from firnline.domain import Metrics, Model, Outputs, StepContext, Table
    from firnline_snowpark.register.params import RegisterParams
    from firnline_snowpark.rows import Kind

KEY_DIGITS: Final = 12
SHOWN_CLASSES: Final = 10
ALIAS_ATTEMPTS: Final = 10
SYSTEM_ALIASES: Final = frozenset({"DEFAULT", "FIRST", "LAST"})
# Between looking and moving, another run took the alias (2002), or freed it (2003).
_ALIAS_MOVED: Final = frozenset({2002, 2003})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is to be registered, and how."""

    name: str
    version: str
    model: Model
    estimator: Any
    kinds: Mapping[str, Kind]
    data: Table
    facts: VersionFacts
    comment: str


def run(
    context: StepContext, params: RegisterParams, model: Model, metrics: Metrics, data: Table, features: Table
) -> Outputs:
    """Log the model, or find the version that an earlier attempt has logged.

    Raises:
        DataError: mandatory metadata is missing, the version is there and is another one, or it predicts otherwise
            than the model.
    """
    order = _order(context, params, model, metrics, data, features)
    registry = open_registry(context)
    version = find_version(registry, order.name, order.version)
    if version is None:
        stop_if_cancelled(context)
        context.progress(f"logging {order.name} version {order.version}")
        version = _log(context, registry, order, params.sample_rows)
    else:
        context.progress(f"{order.name} version {order.version} is in the registry already")
    _complete(version, order)
    stop_if_cancelled(context)
    context.progress("comparing its predictions with the model's")
    checked = refuse_other_predictions(
        context, version, model, order.estimator, order.kinds, table=data.name, rows=params.sample_rows
    )
    kept = offer_alias(registry, order.name, order.version, params.alias) if params.alias is not None else None
    return {
        "registered": RegisteredModel(name=version.fully_qualified_model_name, version=version.version_name),
        "report": _report(version, order, checked, kept),
    }


def open_registry(context: StepContext) -> Registry:
    """Return the registry in the schema of the run."""
    return registry_in(context.session, context.schema)


def registry_in(session: Session, schema: str) -> Registry:
    """Return the registry in a fully qualified schema."""
    from snowflake.ml.registry import Registry

    database, name = split_name(schema)
    return Registry(session, database_name=written(database), schema_name=written(name))


def find_version(registry: Registry, name: str, version: str) -> ModelVersion | None:
    """Return a version, or None if it is not there."""
    try:
        model = registry.get_model(name)
    except ValueError:  # the client's way to say that there is none
        return None
    listed = model.show_versions()
    if listed.empty or version not in set(listed["name"]):
        return None
    return model.version(version)


def _order(
    context: StepContext, params: RegisterParams, model: Model, metrics: Metrics, data: Table, features: Table
) -> _Order:
    [owner] = context.session.sql("SELECT CURRENT_USER() || ' as ' || CURRENT_ROLE()").collect()
    facts = gather(context, model, metrics, owner=str(owner[0]), requirements=requirements(model))
    kinds = column_kinds(context.session, data.name)
    if absent := [name for name in model.features if name not in kinds]:
        raise DataError(
            f"stage {context.stage}: {data.name} lacks the model's columns {', '.join(absent[:10])}",
            hint="connect `data` to the table that the model was trained on",
        )
    return _Order(
        name=(params.name or default_name(context.pipeline, model.target)).upper(),
        version=f"V_{context.key[:KEY_DIGITS].upper()}",
        model=model,
        estimator=model.load(),
        kinds=kinds,
        data=data,
        facts=facts,
        comment=_comment(params.comment, facts, features),
    )


def default_name(pipeline: str, target: str) -> str:
    """Return an identifier made of the pipeline's and the target's names."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in f"{pipeline}_{target}")
    return (plain if not plain[0].isdigit() else f"_{plain}").upper()


def _comment(given: str, facts: VersionFacts, features: Table) -> str:
    parts = [given.rstrip(".") + "."] if given else []
    parts.append(f"Predicts {facts.target} from the columns of {features.name} by pipeline {facts.pipeline}.")
    if facts.classes:
        shown = [f"{code} is {label!r}" for code, label in enumerate(facts.classes[:SHOWN_CLASSES])]
        more = ["…"] if len(facts.classes) > SHOWN_CLASSES else []
        parts.append(f"Classes: {', '.join([*shown, *more])}.")
    # The client puts the comment between $$ and $$.
    return re.sub(r"\$(?=\$)", "$ ", " ".join(parts))


def _log(context: StepContext, registry: Registry, order: _Order, sample_rows: int) -> ModelVersion:
    model = order.model
    listed = ", ".join(f"{_example_sql(name, order.kinds[name])} AS {quoted(name)}" for name in model.features)
    sample = context.session.sql(f"SELECT {listed} FROM {order.data.name} LIMIT {sample_rows}")  # noqa: S608 (quoted)
    functions = signatures(model, order.kinds)
    return registry.log_model(
        order.estimator,
        model_name=order.name,
        version_name=order.version,
        comment=order.comment,
        metrics=_metrics(order.facts),
        signatures=functions,
        # Together with signatures it is only an example, and tells the registry from which table the model came.
        sample_input_data=sample,
        pip_requirements=requirements(model),
        target_platforms=["WAREHOUSE"],
        task=registry_task(model.task),
        options={"target_methods": list(functions), "case_sensitive": needs_quotes(model.features)},
    )


def _example_sql(name: str, kind: Kind) -> str:
    """Return a feature as the registry's client takes an example: it fails on numbers that are missing in all rows."""
    sql = feature_sql(name, kind)
    return sql if kind == "text" else f"COALESCE({sql}, 0)"


def _metrics(facts: VersionFacts) -> dict[str, Any]:
    return {**facts.metrics, NAME: facts.to_json()}


def _complete(version: ModelVersion, order: _Order) -> None:
    """Check that the version is the one that is meant, and write what an earlier attempt did not come to write.

    Raises:
        DataError: it was made from something else.
    """
    shown = version.show_metrics()
    if NAME in shown:
        found, wanted = shown[NAME], order.facts.to_json()
        if other := [name for name in IDENTITY if found.get(name) != wanted[name]]:
            raise DataError(
                f"{order.name} version {order.version} is in the registry and has another {' and '.join(other)}",
                hint="register under another name with the param `name`, or delete that version",
            )
    for name, value in _metrics(order.facts).items():
        if name not in shown or (name != NAME and shown[name] != value):
            version.set_metric(name, value)
    if not version.comment:
        version.comment = order.comment


def offer_alias(registry: Registry, name: str, version: str, alias: str) -> str | None:
    """Let an alias name the version, unless it has another one: return that, which it keeps.

    A version has at most one alias. The one in production, registered again, would lose its place to being a candidate.
    """
    listed = registry.get_model(name).show_versions()
    [aliases] = (
        json.loads(has) for found, has in zip(listed["name"], listed["aliases"], strict=True) if found == version
    )
    if others := [other for other in aliases if other not in {*SYSTEM_ALIASES, alias.upper()}]:
        return str(others[0])
    move_alias(registry, name, version, alias)
    return None


def move_alias(registry: Registry, name: str, version: str, alias: str) -> None:
    """Let an alias name the version, which loses the one that it has. Where runs move it at once, the last one has it.

    Raises:
        TransientError: others moved it each time that this run had freed it.
    """
    from snowflake.snowpark.exceptions import SnowparkSQLException

    model = registry.get_model(name)
    for _ in range(ALIAS_ATTEMPTS):
        listed = model.show_versions()
        holders = [holder for holder, has in zip(listed["name"], listed["aliases"], strict=True) if _names(alias, has)]
        if holders == [version]:
            return
        try:
            for holder in holders:
                model.version(holder).unset_alias(alias)
            model.version(version).set_alias(alias)
        except SnowparkSQLException as error:
            if error.sql_error_code not in _ALIAS_MOVED:
                raise
        else:
            return
    raise TransientError(f"other runs keep moving the alias {alias} of {name}")


def _names(alias: str, aliases: str) -> bool:
    return alias.upper() in json.loads(aliases)


def _report(version: ModelVersion, order: _Order, checked: int, kept: str | None) -> Report:
    facts = order.facts
    lines = [
        ("model", version.fully_qualified_model_name),
        ("version", version.version_name),
        ("functions", ", ".join(function["name"] for function in version.show_functions())),
        ("task", f"{facts.task}, {facts.target} from {len(facts.features):,} columns"),
        ("data version", facts.data_version),
        ("feature version", facts.feature_version),
        ("model version", facts.model_version),
        ("run", f"{facts.run_id} of pipeline {facts.pipeline}"),
        ("owner", facts.owner),
        ("code", ", ".join(f"{name} {value}" for name, value in facts.code.items() if name != "model")),
        ("environment", ", ".join(f"{name} {value}" for name, value in facts.environment.items())),
    ]
    story = (
        f"The version predicts what the model predicts on {checked:,} training rows. "
        "Params, metrics and the keys of data, features and model stand in its metadata."
    )
    if kept is not None:
        story += f" It keeps its alias {kept}: a version has at most one."
    grid = Grid(title="What the registry knows", columns=("what", "value"), rows=tuple(lines))
    return Report(title=f"Registered as {order.name}", sections=(Text(body=story), grid))
