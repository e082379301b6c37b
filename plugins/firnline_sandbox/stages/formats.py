"""File formats: the options of CSV, JSON and Parquet files, checked by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import FileFormat
from firnline_sandbox.errors import invalid_argument, missing_object, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.locations import Location

_COMPRESSIONS: Final = frozenset({"AUTO", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "SNAPPY", "NONE"})
_COMMON: Final[dict[str, Any]] = {"COMPRESSION": "AUTO", "NULL_IF": ["\\N"], "TRIM_SPACE": False}

# Every option that the sandbox obeys, with its default. What is not here is refused by name.
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "CSV": _COMMON
    | {
        "RECORD_DELIMITER": "\n",
        "FIELD_DELIMITER": ",",
        "PARSE_HEADER": False,
        "SKIP_HEADER": 0,
        "SKIP_BLANK_LINES": False,
        "DATE_FORMAT": "AUTO",
        "TIME_FORMAT": "AUTO",
        "TIMESTAMP_FORMAT": "AUTO",
        "BINARY_FORMAT": "HEX",
        "ESCAPE": "NONE",
        "ESCAPE_UNENCLOSED_FIELD": "\\",
        "FIELD_OPTIONALLY_ENCLOSED_BY": "NONE",
        "ERROR_ON_COLUMN_COUNT_MISMATCH": True,
        "REPLACE_INVALID_CHARACTERS": False,
        "EMPTY_FIELD_AS_NULL": True,
        "SKIP_BYTE_ORDER_MARK": True,
        "ENCODING": "UTF8",
        "FILE_EXTENSION": "",
        "MULTI_LINE": True,
    },
    "JSON": _COMMON
    | {
        "NULL_IF": [],
        "DATE_FORMAT": "AUTO",
        "TIME_FORMAT": "AUTO",
        "TIMESTAMP_FORMAT": "AUTO",
        "BINARY_FORMAT": "HEX",
        "ALLOW_DUPLICATE": False,
        "ENABLE_OCTAL": False,
        "STRIP_OUTER_ARRAY": False,
        "STRIP_NULL_VALUES": False,
        "IGNORE_UTF8_ERRORS": False,
        "REPLACE_INVALID_CHARACTERS": False,
        "SKIP_BYTE_ORDER_MARK": True,
        "FILE_EXTENSION": "",
        "MULTI_LINE": True,
    },
    "PARQUET": _COMMON
    | {
        "NULL_IF": [],
        "SNAPPY_COMPRESSION": True,
        "BINARY_AS_TEXT": True,
        "USE_LOGICAL_TYPE": False,
        "USE_VECTORIZED_SCANNER": False,
        "REPLACE_INVALID_CHARACTERS": False,
    },
}
# Options that are obeyed at these values alone.
_ONLY: Final[dict[str, tuple[Any, ...]]] = {
    "BINARY_FORMAT": ("HEX", "UTF8", "UTF-8", "BASE64"),
    "ENABLE_OCTAL": (False,),
    "IGNORE_UTF8_ERRORS": (False,),
}
# The values of JSON are converted by the automatic formats.
_ONLY_IN_JSON: Final = dict.fromkeys(("DATE_FORMAT", "TIME_FORMAT", "TIMESTAMP_FORMAT"), ("AUTO",))
# Options whose text is taken as it is.
_LITERAL: Final = frozenset({"FIELD_DELIMITER", "RECORD_DELIMITER", "ESCAPE", "ESCAPE_UNENCLOSED_FIELD"})
_UNKNOWN_TYPES: Final = frozenset({"AVRO", "ORC", "XML"})


@dataclass(frozen=True, slots=True)
class Format:
    """A file format with every option set."""

    type: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.options[name]


def checked_options(given: Mapping[str, Any], *, type_: str | None = None) -> dict[str, Any]:
    """Check the options of a file format; TYPE is among them.

    Raises:
        ProgrammingError: 1015, an option does not exist; 2, the sandbox does not obey it.
    """
    found = {name.upper(): value for name, value in given.items()}
    kind = str(found.pop("TYPE", None) or type_ or "CSV").upper()
    if kind in _UNKNOWN_TYPES:
        raise unsupported(f"file format TYPE = {kind}")
    if kind not in OPTIONS:
        raise invalid_argument(f"invalid value '{kind}' for property 'TYPE'")
    checked: dict[str, Any] = {"TYPE": kind}
    for name, value in found.items():
        if name not in OPTIONS[kind]:
            raise invalid_argument(f"invalid parameter '{name}' for a {kind} file format")
        checked[name] = _checked(name, value, _ONLY | _ONLY_IN_JSON if kind == "JSON" else _ONLY)
    return checked


def _checked(name: str, value: Any, only: Mapping[str, tuple[Any, ...]]) -> Any:
    if name == "NULL_IF":
        return list(value) if isinstance(value, list | tuple) else [str(value)]
    if isinstance(value, str) and name not in _LITERAL:
        upper = value.upper()
        value = {"TRUE": True, "FALSE": False}.get(upper, value)
        if upper in {"NONE", "AUTO"}:
            value = upper
    if name == "COMPRESSION" and str(value).upper() not in _COMPRESSIONS:
        raise unsupported(f"file format COMPRESSION = {value}")
    allowed = only.get(name)
    if allowed is not None and (value.upper() if isinstance(value, str) else value) not in allowed:
        raise unsupported(f"file format {name} = {value}")
    return value


def complete(options: Mapping[str, Any]) -> Format:
    """Fill in the defaults."""
    checked = checked_options(options)
    kind = checked.pop("TYPE")
    return Format(kind, OPTIONS[kind] | checked)


def find_format(context: Context, given: object, location: Location | None = None) -> Format:
    """Find the format that a statement means: a name, options (perhaps with FORMAT_NAME), or else the stage's own.

    Raises:
        ProgrammingError: 2003, there is no such file format.
    """
    options: dict[str, Any] = {}
    if location is not None and location.stage is not None:
        options = _expanded(context, dict(location.stage.file_format))
    if isinstance(given, str):
        options = dict(named_format(context, given).options)
    elif isinstance(given, dict) and given:
        own = _expanded(context, given)
        options = own if "TYPE" in own else options | own
    return complete(options)


def _expanded(context: Context, options: Mapping[str, Any]) -> dict[str, Any]:
    upper = {name.upper(): value for name, value in options.items()}
    name = upper.pop("FORMAT_NAME", None)
    return upper if name is None else dict(named_format(context, str(name)).options) | upper


def named_format(context: Context, name: str) -> FileFormat:
    """Find a named file format.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    parts = context.resolve(name)
    found = context.catalog.find(FileFormat, parts, context.session_id)
    if found is None:
        raise missing_object("file format", name)
    return found
