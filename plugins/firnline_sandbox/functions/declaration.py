"""What follows the name in CREATE FUNCTION, CREATE PROCEDURE and WITH ... AS PROCEDURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import error, invalid_argument, unsupported
from firnline_sandbox.functions.objects import AGGREGATE, SCALAR, TABLE
from firnline_sandbox.translate.parsing import parse_type
from firnline_sandbox.workers.packages import unmet_package

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

# What a sandbox can name without having anything behind it: where packages come from, and on which processor code runs.
_RECORDED: Final = frozenset({"ARTIFACT_REPOSITORY", "RESOURCE_CONSTRAINT", "LOG_LEVEL", "TRACE_LEVEL"})
_LANGUAGES: Final = frozenset({"PYTHON", "SQL"})


def read_declaration(context: Context, scanner: Scanner, *, aggregate: bool = False) -> dict[str, Any]:
    """Read arguments, result and options; give the fields of a ``Routine``.

    Raises:
        ProgrammingError: 2, the sandbox lacks the language or an option; 391546, a package is not installed here.
    """
    fields: dict[str, Any] = {"rows": _read_arguments(scanner), "language": "SQL"}
    scanner.take("COPY", "GRANTS")
    scanner.expect("RETURNS")
    _read_result(scanner, fields)
    while not scanner.at_end and not _ends(scanner):
        _read_option(scanner, fields)
    if aggregate:
        fields["variety"] = AGGREGATE
    _check(context, fields)
    return fields


def _ends(scanner: Scanner) -> bool:
    return scanner.sees("CALL") and not scanner.sees("CALLED")


def _read_arguments(scanner: Scanner) -> tuple[tuple[str, str, str | None], ...]:
    rows: list[tuple[str, str, str | None]] = []

    def read() -> None:
        name = scanner.identifier()
        if scanner.sees("TABLE", "("):
            raise unsupported(f"argument {name} of type TABLE")
        sql_type = _read_type(scanner)
        default = scanner.until(",", ")").strip() if scanner.take("DEFAULT") or scanner.take("=") else None
        rows.append((name, sql_type, default))

    scanner.expect("(")
    while not scanner.take(")"):
        read()
        scanner.take(",")
    return tuple(rows)


def _read_type(scanner: Scanner) -> str:
    spelled = scanner.type_text()
    return parse_type(spelled).sql


def _read_result(scanner: Scanner, fields: dict[str, Any]) -> None:
    if scanner.take("TABLE"):
        columns: list[tuple[str, str]] = []
        scanner.expect("(")
        while not scanner.take(")"):
            columns.append((scanner.identifier(), _read_type(scanner)))
            scanner.take(",")
        fields |= {"output": tuple(columns), "variety": TABLE}
    else:
        fields |= {"returns": _read_type(scanner), "variety": SCALAR}
    scanner.take("NOT", "NULL")


def _read_option(scanner: Scanner, fields: dict[str, Any]) -> None:
    if scanner.take("STRICT") or scanner.take("RETURNS", "NULL", "ON", "NULL", "INPUT"):
        fields["strict"] = True
        return
    if scanner.take("CALLED", "ON", "NULL", "INPUT") or scanner.take("MEMOIZABLE"):
        return
    if scanner.take("EXECUTE", "AS"):
        scanner.take("RESTRICTED")
        fields["execute_as"] = scanner.identifier()
        return
    if scanner.take("AS"):
        fields["body"] = scanner.text()
        return
    if (word := scanner.take_any("IMMUTABLE", "VOLATILE")) is not None:
        fields["volatile"] = word == "VOLATILE"
        return
    name = scanner.identifier()
    if name == "LANGUAGE":
        fields["language"] = scanner.identifier()
        return
    scanner.take("=")
    _read_value(scanner, name, fields)


def _read_value(scanner: Scanner, name: str, fields: dict[str, Any]) -> None:
    match name:
        case "COMMENT":
            fields["comment"] = scanner.text()
        case "HANDLER":
            fields["handler"] = scanner.text()
        case "RUNTIME_VERSION":
            fields["runtime_version"] = str(scanner.value())
        case "IMPORTS":
            fields["imports"] = _read_texts(scanner)
        case "PACKAGES":
            fields["packages"] = _read_texts(scanner)
        case _ if name in _RECORDED:
            shown = scanner.balanced() if scanner.sees("(") else ".".join(scanner.name())
            fields.setdefault("options", {})[name] = shown
        case _:
            raise unsupported(f"{name} of a function or procedure")


def _read_texts(scanner: Scanner) -> tuple[str, ...]:
    texts: list[str] = []
    scanner.expect("(")
    while not scanner.take(")"):
        texts.append(scanner.text())
        scanner.take(",")
    return tuple(texts)


def _check(context: Context, fields: dict[str, Any]) -> None:
    language = fields["language"]
    if language not in _LANGUAGES:
        raise unsupported(f"functions and procedures in {language}")
    if language == "SQL":
        if fields.get("body") is None:
            raise invalid_argument("a function in SQL needs a body after AS")
        return
    if not fields.get("handler"):
        raise invalid_argument("a function in Python needs a HANDLER")
    if fields.get("body") is None and not fields.get("imports"):
        raise invalid_argument("a function in Python needs a body after AS, or IMPORTS that have its handler")
    missing = [problem for text in fields.get("packages", ()) if (problem := unmet_package(text)) is not None]
    if missing:
        raise error(
            391546,
            "22023",
            "SQL compilation error: Cannot create a Python function with the specified packages. Please check your "
            "packages specification and try again. Not met by the Python environment in which the sandbox runs "
            f"functions: {'; '.join(missing)}. hint: install them here, or ask for versions that are installed.",
        )
    from firnline_sandbox.functions.imports import qualified_import

    fields["imports"] = tuple(qualified_import(context, text) for text in fields.get("imports", ()))
