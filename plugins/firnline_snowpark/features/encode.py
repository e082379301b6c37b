"""``features.encode``: Snowpark ML's encoders and scalers, fitted on the training rows, applied to every set.

Fitting and applying are SQL: the rows stay where they are. What was learned goes on as plain scikit-learn, compared on
training rows with what the platform made of them; ``features.attach`` puts it in front of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from firnline.domain import Grid, Report, Text
from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_columns
from firnline_snowpark.features.encode_params import CATEGORICAL
from firnline_snowpark.features.encoders import FITTED_ATTRIBUTES, UNKNOWN, FittedEncoder, front, one_hot_name
from firnline_snowpark.rows import column_kinds, feature_sql
from firnline_snowpark.tables import stop_if_cancelled, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import DataFrame, Session

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.features.encode_params import EncodeParams, Encoding
    from firnline_snowpark.rows import Kind

TOLERANCE: Final = 1e-6
SHOWN_CATEGORIES: Final = 12


def run(context: StepContext, params: EncodeParams, train: Table, valid: Table, test: Table) -> Outputs:
    """Fit on ``train``, encode all three sets, and keep what was learned.

    Raises:
        DataError: a column is not there, is of another kind than its encoder takes, has too many values, or the
            encoders for the model give something else than the platform.
    """
    session = context.session
    kinds = column_kinds(session, train.name)
    encodings = _resolved(context, params, kinds)
    frames = {
        port: _numbered(session, table, kinds, encodings)
        for port, table in (("train", train), ("valid", valid), ("test", test))
    }
    fitted: list[FittedEncoder] = []
    made: dict[str, list[str]] = {}  # raw column → the platform's names of what it became
    start = 0
    for name, (encoding, columns) in encodings.items():
        stop_if_cancelled(context)
        context.progress(f"fitting {encoding.use} on {', '.join(columns)}")
        estimator = _estimator(encoding, start, len(columns))
        _refuse_many(context, session, train, columns, encoding, params.max_categories)
        estimator.fit(frames["train"])
        encoder = _learned(name, encoding, columns, estimator)
        before = list(frames["train"].columns)
        frames = {port: estimator.transform(frame) for port, frame in frames.items()}
        new = iter([column for column in frames["train"].columns if column not in before])
        made |= {column: [next(new) for _ in outputs] for column, outputs in zip(columns, encoder.outputs, strict=True)}
        fitted.append(encoder)
        start += len(columns)
    outputs = {
        column: names for encoder in fitted for column, names in zip(encoder.columns, encoder.outputs, strict=True)
    }
    _refuse_clashes(context.stage, kinds, outputs)
    _compare(context, frames["train"], fitted, made, params.checked_rows)
    tables = {port: write_table(context, _named(frame, kinds, made, outputs), port) for port, frame in frames.items()}
    return {**tables, "encoder": context.save(tuple(fitted), "encoder.pkl"), "report": _report(fitted, tables)}


def _resolved(
    context: StepContext, params: EncodeParams, kinds: Mapping[str, Kind]
) -> dict[str, tuple[Encoding, tuple[str, ...]]]:
    found = {}
    for name, encoding in params.encoders.items():
        where = f"{context.stage}.params.encoders.{name}"
        columns = resolve_columns(encoding.columns, list(kinds), where=where)
        wanted = {"text"} if encoding.use in CATEGORICAL else {"number", "flag"}
        for column in columns:
            if kinds[column] not in wanted:
                raise DataError(
                    f"{where}: {encoding.use} takes {' or '.join(sorted(wanted))}, and {column!r} "
                    f"holds {kinds[column]}",
                    hint="cast it in a prepare stage, or take another encoder",
                )
        found[name] = (encoding, columns)
    return found


def _numbered(
    session: Session,
    table: Table,
    kinds: Mapping[str, Kind],
    encodings: Mapping[str, tuple[Encoding, tuple[str, ...]]],
) -> DataFrame:
    """Return the table with a copy X0, X1, … of each column that is encoded: names that need no quotes."""
    columns = [column for _, taken in encodings.values() for column in taken]
    copies = [f"{feature_sql(column, kinds[column])} AS FIRNLINE_X{place}" for place, column in enumerate(columns)]
    return session.sql(f"SELECT *, {', '.join(copies)} FROM {table.name}")  # noqa: S608 (names are quoted)


def _estimator(encoding: Encoding, start: int, count: int) -> Any:
    from snowflake.ml.modeling import preprocessing

    options: dict[str, Any] = dict(encoding.options)
    if encoding.use == "OneHotEncoder":
        options = {"handle_unknown": "ignore"}
    elif encoding.use == "OrdinalEncoder":
        options = {
            "handle_unknown": "use_encoded_value",
            "unknown_value": UNKNOWN,
            "encoded_missing_value": UNKNOWN,
        }
    places = range(start, start + count)
    return getattr(preprocessing, encoding.use)(
        input_cols=[f"FIRNLINE_X{place}" for place in places],
        output_cols=[f"FIRNLINE_E{place}" for place in places],
        **options,
    )


def _refuse_many(
    context: StepContext, session: Session, train: Table, columns: Sequence[str], encoding: Encoding, most: int
) -> None:
    if encoding.use not in CATEGORICAL:
        return
    listed = ", ".join(f"COUNT(DISTINCT {quoted(column)})" for column in columns)
    [row] = session.sql(f"SELECT {listed} FROM {train.name}").collect()  # noqa: S608 (names are quoted)
    for column, count in zip(columns, row, strict=True):
        if not 0 < count <= most:
            raise DataError(
                f"stage {context.stage}: {column!r} has {count:,} values in the training rows, and "
                f"{encoding.use} takes 1 to {most:,}",
                hint="leave the column to a trainer, which encodes many values by their target mean, or raise "
                "max_categories",
            )


def _learned(name: str, encoding: Encoding, columns: tuple[str, ...], estimator: Any) -> FittedEncoder:
    twin = estimator.to_sklearn()
    if encoding.use not in CATEGORICAL:
        state = {attribute: _array(getattr(twin, attribute)) for attribute in FITTED_ATTRIBUTES[encoding.use]}
        outputs = tuple((column,) for column in columns)
        return FittedEncoder(
            name=name, use=encoding.use, columns=columns, outputs=outputs, state=state, options=encoding.options
        )
    categories = tuple(tuple(None if value is None else str(value) for value in values) for values in twin.categories_)
    return FittedEncoder(
        name=name,
        use=encoding.use,
        columns=columns,
        outputs=tuple(
            tuple(one_hot_name(column, value) for value in values) if encoding.use == "OneHotEncoder" else (column,)
            for column, values in zip(columns, categories, strict=True)
        ),
        categories=categories,
    )


def _array(value: Any) -> Any:
    return None if value is None else np.asarray(value, dtype=np.float64)


def _refuse_clashes(stage: str, kinds: Mapping[str, Kind], outputs: Mapping[str, Sequence[str]]) -> None:
    names = [name for column in kinds for name in outputs.get(column, (column,))]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"stage {stage}: two columns would be called {twice[0]!r}", hint="rename one of the columns")


def _named(
    frame: DataFrame, kinds: Mapping[str, Kind], made: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]]
) -> DataFrame:
    """Return the table with each encoded column in the place of the raw one."""
    columns = []
    for column in kinds:
        if column in made:
            pairs = zip(made[column], outputs[column], strict=True)
            columns += [frame[given].cast("float").alias(quoted(name)) for given, name in pairs]
        else:
            columns.append(frame[quoted(column)])
    return frame.select(*columns)


def _compare(
    context: StepContext,
    frame: DataFrame,
    fitted: Sequence[FittedEncoder],
    made: Mapping[str, Sequence[str]],
    rows: int,
) -> None:
    raw = [column for encoder in fitted for column in encoder.columns]
    given = [f"FIRNLINE_X{place}" for place in range(len(raw))]
    encoded = [name for column in raw for name in made[column]]
    found = frame.select(*given, *encoded).limit(rows).to_pandas()
    mine = front(fitted, ()).transform(found.iloc[:, : len(raw)].set_axis(raw, axis=1))
    names = [name for encoder in fitted for outputs in encoder.outputs for name in outputs]
    theirs = found.iloc[:, len(raw) :].to_numpy(dtype=np.float64)
    same = np.isclose(mine[names].to_numpy(dtype=np.float64), theirs, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    if not same.all():
        wrong = [name for name, fine in zip(names, same.all(axis=0), strict=True) if not fine]
        raise DataError(
            f"stage {context.stage}: the model's encoders give something else than the platform's for "
            f"{', '.join(wrong[:5])}",
            hint="report this, with the versions of snowflake-ml-python and scikit-learn",
        )


def _report(fitted: Sequence[FittedEncoder], tables: Mapping[str, Table]) -> Report:
    rows = []
    for encoder in fitted:
        for place, column in enumerate(encoder.columns):
            if encoder.categories:
                values = ["NULL" if value is None else value for value in encoder.categories[place]]
                known = ", ".join(values[:SHOWN_CATEGORIES]) + (", …" if len(values) > SHOWN_CATEGORIES else "")
            else:
                state = {name: value[place] for name, value in encoder.state.items() if value is not None}
                known = ", ".join(f"{name.rstrip('_')} {value:.6g}" for name, value in state.items())
            rows.append((column, encoder.use, len(encoder.outputs[place]), known))
    counts = ", ".join(f"{port} {table.rows or 0:,}" for port, table in tables.items())
    story = f"Fitted on the training rows only, applied to all sets ({counts} rows)."
    grid = Grid(title="Encoders", columns=("column", "encoder", "columns", "learned"), rows=tuple(rows))
    return Report(title="Encoded columns", sections=(Text(body=story), grid))
