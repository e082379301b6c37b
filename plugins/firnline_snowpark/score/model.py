"""``score.model``: the registered version predicts in one statement, from table to table; no row comes here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.calls import PREDICT, PREDICT_PROBA, PREDICTION, function_of, output_sql, probability
from firnline_snowpark.columns import quoted, resolve_columns
from firnline_snowpark.literals import literal
from firnline_snowpark.object_names import split_name
from firnline_snowpark.register.facts import facts_of
from firnline_snowpark.register.model import find_version, open_registry
from firnline_snowpark.rows import FEATURE_KINDS, column_kinds
from firnline_snowpark.score.report import score_report
from firnline_snowpark.tables import described_table, stop_if_cancelled
from firnline_snowpark.tabular.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.ml.model import ModelVersion

    from firnline.domain import Outputs, RegisteredModel, StepContext, Value
    from firnline_snowpark.register.facts import VersionFacts
    from firnline_snowpark.rows import Kind
    from firnline_snowpark.score.params import ScoreParams

PROBABILITY: Final = "PROBABILITY"
ADDED: Final = (PREDICTION, PROBABILITY, "MODEL_NAME", "MODEL_VERSION", "SCORED_AT")


def run(
    context: StepContext, params: ScoreParams, model: RegisteredModel, table: Table, profile: Value | None = None
) -> Outputs:
    """Write identifiers, prediction, probability, model version and time of every row into a fresh table.

    Raises:
        DataError: the version is not in the registry, or was not registered by ``register.model``; the table lacks
            columns that the model needs.
    """
    version = _version(context, model)
    facts = facts_of(version, context.stage)
    kinds = column_kinds(context.session, table.name)
    _refuse_other_columns(context, facts, kinds, table)
    kept = _identifiers(context, params, kinds, profile)
    stop_if_cancelled(context)
    name = context.table_name("predictions")
    context.progress(f"scoring with {version.model_name} version {version.version_name}", 0)
    context.session.sql(
        f"CREATE TABLE {name} AS {_query(version, facts, kinds, table, kept, params.threshold)}"
    ).collect()
    predictions = described_table(context.session, name)
    context.progress("scored", predictions.rows)
    learned = facts.target in kinds
    return {
        "predictions": predictions,
        "report": score_report(context.session, predictions, facts, version, params, kept, learned=learned),
    }


def _version(context: StepContext, model: RegisteredModel) -> ModelVersion:
    version = find_version(open_registry(context), split_name(model.name)[-1], model.version)
    if version is None:
        raise DataError(
            f"stage {context.stage}: {model.name} has no version {model.version} in the registry",
            hint="was it deleted? `--from register` registers it again",
        )
    return version


def _refuse_other_columns(context: StepContext, facts: VersionFacts, kinds: Mapping[str, Kind], table: Table) -> None:
    absent = [name for name in facts.features if name not in kinds]
    wrong = [name for name in facts.features if name in kinds and kinds[name] not in FEATURE_KINDS]
    if absent or wrong:
        told = [f"it lacks {', '.join(absent[:10])}"] if absent else []
        told += [f"{name} holds {kinds[name]} values" for name in wrong[:10]]
        raise DataError(
            f"stage {context.stage}: the model cannot score {table.name}: {'; '.join(told)}",
            hint="the rows to score need the same columns as the training rows, made by the same steps",
        )


def _identifiers(
    context: StepContext, params: ScoreParams, kinds: Mapping[str, Kind], profile: Value | None
) -> tuple[str, ...]:
    """Return the columns that are taken over.

    Raises:
        DataError: one has a name that the results table needs itself.
    """
    known = profile.load() if profile is not None else None
    if params.identifiers:
        kept = resolve_columns(params.identifiers, list(kinds), where=f"stage {context.stage}")
    elif isinstance(known, Profile) and any(name in kinds for name in known.identifiers):
        kept = tuple(name for name in known.identifiers if name in kinds)
    else:
        kept = tuple(kinds)
    if clash := [name for name in kept if name in ADDED]:
        raise DataError(
            f"stage {context.stage}: the scored table's own {', '.join(clash)} cannot stand beside the prediction",
            hint="name the columns to take over with the param `identifiers`",
        )
    return kept


def _query(
    version: ModelVersion,
    facts: VersionFacts,
    kinds: Mapping[str, Kind],
    table: Table,
    kept: tuple[str, ...],
    threshold: float,
) -> str:
    """Return the statement: the model is asked once a row, then its answer is taken apart."""
    classes = facts.task != "regression"
    function = function_of(version, PREDICT_PROBA if classes else PREDICT)
    outputs = [probability(code) for code in range(len(facts.classes))] if classes else [PREDICTION]
    taken = [quoted(name) for name in kept]
    inner = ", ".join([*taken, f"{function.sql(facts.features, kinds)} AS SAID$"])
    answers = [f"{output_sql('SAID$', function, name)} AS {quoted(f'{name}$')}" for name in outputs]
    middle = ", ".join([*taken, *answers])
    scored = f"SELECT {middle} FROM (SELECT {inner} FROM {table.name})"  # noqa: S608 (identifiers are quoted)
    outer = [
        *taken,
        *_verdict(facts, threshold),
        f"{literal(split_name(version.fully_qualified_model_name)[-1])} AS MODEL_NAME",
        f"{literal(version.version_name)} AS MODEL_VERSION",
        "CURRENT_TIMESTAMP() AS SCORED_AT",
    ]
    return f"SELECT {', '.join(outer)} FROM ({scored})"  # noqa: S608 (identifiers are quoted)


def _verdict(facts: VersionFacts, threshold: float) -> list[str]:
    """Return prediction and probability: of the positive class for two, of the predicted one for several."""
    if facts.task == "regression":
        return [f"{quoted(f'{PREDICTION}$')} AS {PREDICTION}"]
    columns = [quoted(f"{probability(code)}$") for code in range(len(facts.classes))]
    labels = [literal(label) for label in facts.classes]
    if facts.task == "binary":
        chosen = f"IFF({columns[1]} >= {threshold!r}, {labels[1]}, {labels[0]})"
        return [f"{chosen} AS {PREDICTION}", f"{columns[1]} AS {PROBABILITY}"]
    most = f"GREATEST({', '.join(columns)})"
    pairs = zip(columns, labels, strict=True)
    branches = " ".join(f"WHEN {column} = {most} THEN {label}" for column, label in pairs)
    return [f"CASE {branches} END AS {PREDICTION}", f"{most} AS {PROBABILITY}"]
