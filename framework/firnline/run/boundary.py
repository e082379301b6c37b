"""The one boundary around the code of steps.

1. An error of ours that a step raises on purpose (data, gate, transient) passes as it is.
2. ``KeyboardInterrupt`` and ``SystemExit`` from a step do not end the run: they become the stage's failure.
3. Anything else becomes a ``StageError`` that names stage, step, plugin and version, keeps the cause, and whose
   traceback starts in the step's own code.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Final

from firnline.domain import PlannedStage
from firnline.errors import DataError, FirnlineError, StageError, StoppedByGateError, TransientError

_OUR_FILES: Final = ("/firnline/run/", "/firnline/domain/")
# Package → classes of errors of the network or the service, told by name: the core imports none of the packages.
_TRANSIENT: Final[Mapping[str, frozenset[str]]] = {
    "snowflake.connector": frozenset(
        {
            "BadGatewayError",
            "ConnectTimeout",
            "ConnectionError",
            "GatewayTimeoutError",
            "InternalServerError",
            "OperationalError",
            "ReadTimeout",
            "RequestTimeoutError",
            "ServiceUnavailableError",
            "TooManyRequests",
        }
    ),
    "requests": frozenset({"ChunkedEncodingError", "ConnectionError", "Timeout"}),
    "urllib3": frozenset({"NewConnectionError", "ProtocolError", "TimeoutError"}),
    "socket": frozenset({"gaierror"}),
    "httpx": frozenset({"NetworkError", "RemoteProtocolError", "TimeoutException"}),
}


@contextmanager
def step_code(stage: PlannedStage) -> Iterator[None]:
    """Run code of a step inside; see the module's docstring for what happens to its errors."""
    try:
        yield
    except (DataError, StoppedByGateError, TransientError):
        raise
    except BaseException as error:
        if isinstance(error, GeneratorExit):
            raise
        _trim(error)
        message = str(error) or type(error).__name__
        raise StageError(
            f"{type(error).__name__}: {message}" if not isinstance(error, FirnlineError) else error.message,
            stage=stage.name,
            step=stage.step,
            plugin=stage.plugin,
            hint=error.hint if isinstance(error, FirnlineError) else None,
        ) from error


def is_transient(error: BaseException) -> bool:
    """Tell whether trying again may help: the step says so, or the network or the service failed.

    The connector's ``OperationalError`` is one of connection or service; a statement that is wrong is a
    ``ProgrammingError``, which is not transient.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TransientError | ConnectionError | TimeoutError):
            return True
        if any(_is_network_error(kind) for kind in type(seen).__mro__):
            return True
        seen = seen.__cause__
    return False


def _is_network_error(kind: type) -> bool:
    return any(
        kind.__name__ in names and (kind.__module__ + ".").startswith(package + ".")
        for package, names in _TRANSIENT.items()
    )


def describe(error: BaseException) -> str:
    """Return the error with its traceback, for the stage's log."""
    return "".join(traceback.format_exception(error))


def _trim(error: BaseException) -> None:
    """Drop our own frames from the top of the traceback, so that it starts in the step's code."""
    frame: TracebackType | None = error.__traceback__
    while frame is not None and any(part in frame.tb_frame.f_code.co_filename for part in _OUR_FILES):
        frame = frame.tb_next
    if frame is not None:
        error.__traceback__ = frame
