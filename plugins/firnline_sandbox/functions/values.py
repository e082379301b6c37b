"""Values on their way into handlers and back: Arrow columns, Python objects, pandas series."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.functions.code import wire_arrow_type
from firnline_sandbox.result import without_marks
from firnline_sandbox.workers.variants import encode_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from firnline_sandbox.types import SnowflakeType


class SqlNull:
    """NULL in a VARIANT, where None stands for the null of JSON: Snowflake's handlers ask for this attribute."""

    is_sql_null = True


SQL_NULL: Final = SqlNull()


def to_python(column: Any, type_: SnowflakeType, *, absent: Any = None) -> list[Any]:
    """Give a column's values as a handler gets them: int, Decimal, float, str, bytes, date, dict and so on.

    ``absent`` is what a NULL becomes in a VARIANT. Objects have their keys in order, as Snowflake keeps them.
    """
    values: list[Any] = column.to_pylist()
    if type_.is_semi_structured:
        null = absent if type_.kind == "VARIANT" else None
        return [
            null if value is None else json.loads(without_marks(value), object_pairs_hook=_in_order) for value in values
        ]
    if type_.kind == "NUMBER" and not type_.scale and not pa.types.is_integer(column.type):
        return [None if value is None else int(value) for value in values]
    return values


def _in_order(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(pairs))


def to_arrow(values: Sequence[Any], type_: SnowflakeType, *, json_nulls: bool = False) -> pa.Array:
    """Give what a handler returned as a column of the declared type.

    With ``json_nulls``, None in a VARIANT is the null of JSON, and ``SQL_NULL`` is NULL.

    Raises:
        TypeError: a value is not of that type.
        ValueError: it is, but does not fit.
    """
    wanted = wire_arrow_type(type_)
    if type_.is_semi_structured:
        null = SqlNull if json_nulls and type_.kind == "VARIANT" else NoneType | SqlNull
        texts = iter(encode_all(value for value in values if not isinstance(value, null)))
        return pa.array([None if isinstance(value, null) else next(texts) for value in values], wanted)
    convert = _CONVERTERS[type_.kind]
    try:
        if type_.kind in {"NUMBER", "FLOAT", "BOOLEAN"} and not type_.scale:
            return pa.array(values, wanted)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # some value is not of the plain type: each is looked at
    return pa.array([None if _is_missing(value) else convert(value, type_) for value in values], wanted)


def _is_missing(value: Any) -> bool:
    return value is None or isinstance(value, SqlNull) or type(value).__name__ in {"NAType", "NaTType"}


def _number(value: Any, type_: SnowflakeType) -> Any:
    if hasattr(value, "item"):  # numpy's scalars
        value = value.item()
    if not isinstance(value, int | float | decimal.Decimal):
        raise _wrong(value, type_)
    exact = decimal.Decimal(repr(value)) if isinstance(value, float) else decimal.Decimal(value)
    if not exact.is_finite():
        raise _wrong(value, type_)
    if not type_.scale:
        return int(exact.to_integral_value(decimal.ROUND_HALF_UP))
    with decimal.localcontext() as arithmetic:
        arithmetic.prec = 76
        return exact.quantize(decimal.Decimal(1).scaleb(-type_.scale), decimal.ROUND_HALF_UP)


def _float(value: Any, type_: SnowflakeType) -> float:
    if isinstance(value, str | bytes):
        raise _wrong(value, type_)
    return float(value)


def _text(value: Any, type_: SnowflakeType) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes | bytearray | list | dict | tuple | set):
        raise _wrong(value, type_)
    return str(value)


def _boolean(value: Any, type_: SnowflakeType) -> bool:
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, bool | int):
        raise _wrong(value, type_)
    return bool(value)


def _binary(value: Any, type_: SnowflakeType) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise _wrong(value, type_)
    return bytes(value)


def _date(value: Any, type_: SnowflakeType) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if not isinstance(value, dt.date):
        raise _wrong(value, type_)
    return value


def _time(value: Any, type_: SnowflakeType) -> dt.time:
    if not isinstance(value, dt.time):
        raise _wrong(value, type_)
    return value


def _timestamp(value: Any, type_: SnowflakeType) -> dt.datetime:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if not isinstance(value, dt.datetime):
        raise _wrong(value, type_)
    if type_.kind == "TIMESTAMP_NTZ":
        return value.replace(tzinfo=None)
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value


def _wrong(value: Any, type_: SnowflakeType) -> TypeError:
    return TypeError(f"the handler returned a value of type {type(value).__name__} for {type_.sql}")


_CONVERTERS: dict[str, Callable[[Any, SnowflakeType], Any]] = {
    "NUMBER": _number,
    "FLOAT": _float,
    "TEXT": _text,
    "BOOLEAN": _boolean,
    "BINARY": _binary,
    "DATE": _date,
    "TIME": _time,
    "TIMESTAMP_NTZ": _timestamp,
    "TIMESTAMP_LTZ": _timestamp,
    "TIMESTAMP_TZ": _timestamp,
}


def to_series(column: Any, type_: SnowflakeType) -> pd.Series[Any]:
    """Give a column as a vectorised handler gets it: whole numbers in the narrowest of int16, int32 and int64."""
    import pandas as pd

    match type_.kind:
        case "NUMBER" if not type_.scale:
            return _integers(column)
        case "NUMBER":
            return pd.Series(column.cast(pa.float64()).to_pandas())
        case "FLOAT" | "TEXT" | "BINARY":
            return pd.Series(column.to_pandas())
        case "BOOLEAN":
            return pd.Series(column.to_pylist(), dtype="boolean")
        case "DATE":
            return pd.Series(column.cast(pa.timestamp("us")).to_pandas())
        case "TIME":
            micros = column.cast(pa.int64())
            return pd.Series(micros.cast(pa.duration("us")).to_pandas())
        case "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return pd.Series(column.to_pandas())
    return pd.Series(to_python(column, type_), dtype=object)


def _integers(column: Any) -> pd.Series[Any]:
    import numpy as np
    import pandas as pd

    if column.null_count:
        return pd.Series(column.to_pandas()).astype("float64")
    values = column.cast(pa.int64()).to_numpy()
    if not len(values):
        return pd.Series(values)
    least, most = values.min(), values.max()
    for narrow in (np.int16, np.int32):
        if np.iinfo(narrow).min <= least and most <= np.iinfo(narrow).max:
            return pd.Series(values.astype(narrow))
    return pd.Series(values)


def from_series(values: Any, type_: SnowflakeType) -> pa.Array:
    """Give a series (or array, or list) of a vectorised handler as a column of the declared type."""
    import numpy as np
    import pandas as pd

    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if pd.api.types.is_timedelta64_dtype(series.dtype) and type_.kind == "TIME":
        micros = series.astype("timedelta64[us]").astype("int64")
        return pa.array(micros.where(series.notna(), None), pa.int64()).cast(pa.time64("us"))
    if series.dtype.kind in "iufb" and type_.kind in {"NUMBER", "FLOAT", "BOOLEAN"} and not type_.scale:
        if series.dtype.kind == "f" and type_.kind == "NUMBER":
            series = series.round()
        return pa.Array.from_pandas(series).cast(wire_arrow_type(type_))
    plain = series.astype(object)
    if not type_.is_semi_structured or series.dtype != object:
        plain = plain.where(series.notna(), None)
    values = [value.item() if isinstance(value, np.generic) else value for value in plain]
    return to_arrow([value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for value in values], type_)
