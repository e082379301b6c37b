"""The register of functions: by name, how a call is typed and written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.translate.absent_functions import refused_function
from firnline_sandbox.translate.casts import coerce
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.values import ABSENT, Value, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firnline_sandbox.translate.scopes import Scope
    from firnline_sandbox.types import SnowflakeType


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of a function, with what stands around it: DISTINCT, WITHIN GROUP, IGNORE NULLS, OVER."""

    translation: Translation
    scope: Scope
    name: str
    nodes: Sequence[exp.Expr]
    distinct: bool = False
    within: exp.Order | None = None
    ignore_nulls: bool = False
    window: exp.Window | None = None
    over: str = ""  # ' OVER (...)', to be written right after an aggregate or window function
    named: dict[str, exp.Expr] = field(default_factory=dict)
    _values: dict[int, Value] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.nodes)

    def value(self, index: int) -> Value:
        """Translate an argument, once.

        Raises:
            ProgrammingError: 1015, there are fewer arguments.
        """
        if index not in self._values:
            if index >= len(self.nodes):
                raise invalid_argument(f"not enough arguments for function [{self.name}], got {len(self.nodes)}")
            self._values[index] = self.translation.value(self.nodes[index], self.scope)
        return self._values[index]

    def values(self, start: int = 0) -> list[Value]:
        """Translate all arguments from ``start`` on."""
        return [self.value(index) for index in range(start, len(self.nodes))]

    def replace(self, index: int, value: Value) -> None:
        """Put a translated value in an argument's place."""
        self._values[index] = value

    def as_type(self, index: int, type_: SnowflakeType) -> Value:
        """Translate an argument and bring it to a type."""
        value = self.value(index)
        return value if value.type.kind == type_.kind and type_.kind != "NUMBER" else coerce(value, type_)

    def constant(self, index: int, default: Any = ABSENT) -> Any:
        """Give an argument that must be a constant.

        Raises:
            ProgrammingError: 1015, it is none, or it is absent and there is no default.
        """
        if index >= len(self.nodes) and default is not ABSENT:
            return default
        value = self.value(index)
        if value.constant is ABSENT:
            raise invalid_argument(f"argument {index + 1} to function {self.name} needs to be constant")
        return value.constant

    def word(self, index: int) -> str:
        """Give an argument that is a keyword or its text, such as a date part, in lower case."""
        node = self.nodes[index]
        if isinstance(node, exp.Column | exp.Var | exp.Identifier | exp.Literal):
            return node.name.lower()
        return str(self.constant(index)).lower()

    def require_kind(self, index: int, kinds: frozenset[str]) -> None:
        """Refuse an argument of another kind.

        Raises:
            ProgrammingError: 1044, as Snowflake says it.
        """
        require_type(self, self.value(index), kinds)

    def build(self, sql: str, type_: SnowflakeType, *, nullable: bool | None = None, volatile: bool = False) -> Value:
        """Give the call's value; it is nullable and volatile if one of the arguments translated so far is."""
        arguments = self._values.values()
        if nullable is None:
            nullable = any(value.nullable for value in arguments)
        return Value(sql, type_, nullable, volatile=volatile or any(value.volatile for value in arguments))


Function = "Callable[[Call], Value]"
_FUNCTIONS: Final[dict[str, Callable[[Call], Value]]] = {}


def function(*names: str) -> Callable[[Any], Any]:
    """Register the translator of a function under its names."""

    def register(writer: Callable[[Call], Value]) -> Callable[[Call], Value]:
        for name in names:
            _FUNCTIONS[name] = writer
        return writer

    return register


def declare(
    names: str,
    parameters: Sequence[SnowflakeType | None],
    result: SnowflakeType | int,
    *templates: str,
    nullable: bool | None = None,
) -> None:
    """Register functions that are a DuckDB template each.

    ``parameters`` are the arguments' types (None: as it comes); ``result`` is a type, or the argument that has it. Of
    several templates, the last is for all parameters, the one before for one less, and so on.
    """

    def write(call: Call) -> Value:
        count = len(call)
        missing = len(parameters) - count
        if missing < 0 or missing >= len(templates):
            problem = "too many" if missing < 0 else "not enough"
            raise invalid_argument(f"{problem} arguments for function [{call.name}], got {count}")
        arguments = [
            call.value(index) if parameters[index] is None else call.as_type(index, parameters[index])  # type: ignore[arg-type]
            for index in range(count)
        ]
        type_ = arguments[result].type if isinstance(result, int) else result
        sql = templates[len(templates) - 1 - missing].format(*(typed(argument) for argument in arguments))
        return call.build(sql, type_, nullable=nullable)

    function(*names.split())(write)


def names() -> list[str]:
    """List the functions that are registered so far."""
    return sorted(_FUNCTIONS)


def is_built_in(name: str) -> bool:
    """Tell whether a function is one of Snowflake's that the sandbox knows."""
    return name in _FUNCTIONS


def call_function(call: Call) -> Value:
    """Translate a call: a built-in function, a system function, or a user's.

    Raises:
        ProgrammingError: 2140, nobody knows it.
    """
    writer = _FUNCTIONS.get(call.name)
    if writer is not None:
        return writer(call)
    if call.name.startswith("SYSTEM$"):
        return _FUNCTIONS["SYSTEM$"](call)
    return user_function(call, (call.name,))


def user_function(call: Call, parts: tuple[str, ...]) -> Value:
    """Call a user-defined function of the catalog, or one that the sandbox made itself.

    Raises:
        ProgrammingError: 2140, there is none of this name; 2141, the same for a name with its schema; 2, Snowflake has
            it and the sandbox lacks it.
    """
    from firnline_sandbox.translate.user_functions import call_user_function

    if (value := call_user_function(call, parts)) is not None:
        return value
    name = ".".join(parts)
    arguments = call.values()
    found = call.translation.around.user_function(name, tuple(argument.type for argument in arguments))
    if found is None:
        raise refused_function(parts)
    physical, type_ = found
    return call.build(f"{physical}({', '.join(typed(argument) for argument in arguments)})", type_, nullable=True)


@expression(exp.Anonymous)
def anonymous(translation: Translation, node: exp.Anonymous, scope: Scope) -> Value:
    """Any call that is not a window function."""
    return call_function(make_call(translation, node, scope))


@expression(exp.Dot)
def qualified_call(translation: Translation, node: exp.Dot, scope: Scope) -> Value:
    """``db.schema.function(...)``."""
    if not isinstance(node.expression, exp.Anonymous):
        raise invalid_argument(f"invalid identifier '{node.sql('snowflake')}'")
    parts = [identifier_name(part) for part in node.this.find_all(exp.Identifier, bfs=False)]
    call = make_call(translation, node.expression, scope)
    return user_function(call, (*parts, call.name))


def make_call(translation: Translation, node: exp.Anonymous, scope: Scope) -> Call:
    """Take a call apart: DISTINCT and IGNORE NULLS may stand inside its parentheses."""
    this = node.this
    name = this.upper() if isinstance(this, str) else identifier_name(this)
    nodes: Sequence[exp.Expr] = node.expressions
    call = Call(translation=translation, scope=scope, name=name, nodes=nodes)
    if not nodes:
        return call
    first = nodes[0]
    if isinstance(first, exp.Distinct):
        call.distinct = True
        call.nodes = [*first.expressions, *nodes[1:]]
        first = call.nodes[0]
    if isinstance(first, exp.IgnoreNulls | exp.RespectNulls):
        call.ignore_nulls = isinstance(first, exp.IgnoreNulls)
        call.nodes = [first.this, *call.nodes[1:]]
    if any(isinstance(argument, exp.Kwarg) for argument in call.nodes):
        call.named = {
            argument.this.name.upper(): argument.expression
            for argument in call.nodes
            if isinstance(argument, exp.Kwarg)
        }
        call.nodes = [argument for argument in call.nodes if not isinstance(argument, exp.Kwarg)]
    return call


@expression(exp.WithinGroup)
def within_group(translation: Translation, node: exp.WithinGroup, scope: Scope) -> Value:
    """``LISTAGG(...) WITHIN GROUP (ORDER BY ...)``."""
    call = make_call(translation, node.this, scope)
    call.within = node.expression
    return call_function(call)


@expression(exp.Extract)
def extract(translation: Translation, node: exp.Extract, scope: Scope) -> Value:
    """``EXTRACT(year FROM x)``."""
    return call_function(
        Call(translation=translation, scope=scope, name="DATE_PART", nodes=[node.this, node.expression])
    )


@expression(exp.StrPosition)
def position(translation: Translation, node: exp.StrPosition, scope: Scope) -> Value:
    """``POSITION('a' IN x)`` and ``POSITION('a', x)``."""
    nodes = [node.args["substr"], node.this]
    if node.args.get("position") is not None:
        nodes.append(node.args["position"])
    return call_function(Call(translation=translation, scope=scope, name="POSITION", nodes=nodes))


def require_type(call: Call, value: Value, kinds: frozenset[str]) -> None:
    """Refuse an argument of the wrong kind.

    Raises:
        ProgrammingError: 1044, as Snowflake says it.
    """
    if value.type.kind not in kinds and value.type != t.NULL:
        raise invalid_argument(f"Invalid argument types for function '{call.name}': ({value.type.sql})")
