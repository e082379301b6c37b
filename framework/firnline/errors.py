"""Every error that Firnline raises on purpose.

FirnlineError                  exit code 1
├── ConfigError                2   problems found before anything ran, all of them together
├── UsageError                 2   the command line, the project folder, an unknown run
├── PluginError                2   a plugin that is needed is broken, missing or of another API version
│   └── MissingExtraError      2   the plugin is there, the SDK it needs is not
├── PlatformError              2   the platform cannot be reached or refuses the connection
├── RefusedError               3   a guard refused the plan, or stopped the run
├── StoppedByGateError         4   a gate (expectations, champion) stopped the pipeline
├── StageError                 1   a stage failed; carries stage, step, plugin and version
│   ├── StageTimeoutError      1   it ran longer than its timeout
│   └── OutputError            1   the step did not return what its ports declare
├── TransientError             1   raised by steps: trying again may help
├── DataError                  1   raised by steps: the data cannot be used, and why
└── InterruptedRunError      130   Ctrl-C
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

MESSAGE_LIMIT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a configuration.

    Attributes:
        path: the config path, for example ``train.params.max_depth``.
        message: what is wrong, in one sentence without a full stop.
        value: the offending value as text, if there is one.
        source: where the value comes from: ``file:line`` or ``the command line (…)``.
        expected: what would have been accepted.
        nearest: the valid name that is closest to what was written.
        hint: what to do next.
        jobs: of a multirun: which jobs have it, and the choice that brought it in; None if all have it.
    """

    path: str
    message: str
    value: str | None = None
    source: str | None = None
    expected: str | None = None
    nearest: str | None = None
    hint: str | None = None
    jobs: str | None = None


class FirnlineError(Exception):
    """The root: a message that says what and where, and a hint that says what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class ConfigError(FirnlineError):
    """The configuration cannot be run. Holds every problem that was found, not only the first."""

    exit_code = 2

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = f"{len(problems)} problem" + ("s" if len(problems) != 1 else "")
        super().__init__(f"{count} in the configuration: " + "; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...]]]:
        return ConfigError, (self.problems,)


class UsageError(FirnlineError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class PluginError(FirnlineError):
    """A plugin that the chosen configuration needs cannot be used."""

    exit_code = 2


class MissingExtraError(PluginError):
    """A step needs a package that is not installed."""


class PlatformError(FirnlineError):
    """The platform cannot be reached, or refuses the connection."""

    exit_code = 2


class RefusedError(FirnlineError):
    """A guard refused the plan before anything ran.

    ``plan`` is the plan, to be shown with the reasons; ``out_of_budget`` says that too little is left of what the jobs
    of a multirun may use together.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None, plan: Any = None, out_of_budget: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.plan = plan
        self.out_of_budget = out_of_budget


class StoppedByGateError(FirnlineError):
    """A gate decided that the pipeline must not go on. Raised by steps."""

    exit_code = 4


class StageError(FirnlineError):
    """A stage failed in foreign code. The cause is ``__cause__``."""

    def __init__(self, message: str, *, stage: str, step: str, plugin: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.stage = stage
        self.step = step
        self.plugin = plugin


class StageTimeoutError(StageError):
    """A stage ran longer than its ``timeout_s``."""


class OutputError(StageError):
    """A step returned something else than its output ports declare."""


class TransientError(FirnlineError):
    """A step says that trying again may help (a lost connection, a busy service)."""


class DataError(FirnlineError):
    """A step says that the data cannot be used, and why."""


class InterruptedRunError(FirnlineError):
    """The user stopped the run."""

    exit_code = 130
