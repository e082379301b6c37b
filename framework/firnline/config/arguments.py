"""The words after ``firnline run``, told apart: overrides, and Hydra's flags with their values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from firnline.config.names import nearest
from firnline.errors import UsageError

# Hydra's flags → what may follow: nothing, any word, or one of these words.
_FLAGS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "--multirun": "",
    "--run": "",
    "--resolve": "",
    "--help": "",
    "--hydra-help": "",
    "--version": "",
    "--shell-completion": "",
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    "--package": "WORD",
    "--config-path": "FOLDER",
    "--config-name": "NAME",
    "--config-dir": "FOLDER",
    "--experimental-rerun": "FILE",
}
_SHORT: Final[Mapping[str, str]] = {
    "-m": "--multirun",
    "-r": "--run",
    "-h": "--help",
    "-c": "--cfg",
    "-i": "--info",
    "-p": "--package",
    "-sc": "--shell-completion",
    "-cp": "--config-path",
    "-cn": "--config-name",
    "-cd": "--config-dir",
}
_QUESTIONS: Final = frozenset({"--cfg", "--info", "--help", "--hydra-help", "--version", "--shell-completion"})
_ELSEWHERE: Final = frozenset({"--config-path", "--config-name", "--config-dir", "--experimental-rerun"})
_OPTIONAL: Final = "--info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What was typed.

    Attributes:
        overrides: the overrides, in order.
        flags: Hydra's flags by their long names, each followed by its value if it has one.
    """

    overrides: tuple[str, ...]
    flags: tuple[str, ...] = ()

    @property
    def is_multirun(self) -> bool:
        """Whether several jobs are asked for."""
        return "--multirun" in self.flags

    @property
    def asks(self) -> bool:
        """Whether Hydra only answers a question about the configuration, and no job runs."""
        return not _QUESTIONS.isdisjoint(self.flags)

    @property
    def completes(self) -> bool:
        """Whether the shell asks for completions."""
        return "--shell-completion" in self.flags

    @property
    def looks_elsewhere(self) -> bool:
        """Whether a flag changes where the configuration is found."""
        return not _ELSEWHERE.isdisjoint(self.flags)


def split_arguments(arguments: Sequence[str], others: Collection[str] = ()) -> Arguments:
    """Tell overrides from flags, wherever they stand.

    Args:
        arguments: what was typed after the verb.
        others: flags that are ours and taken out already; named when one is misspelt.

    Raises:
        UsageError: a flag is unknown, or lacks its value.
    """
    overrides: list[str] = []
    flags: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            overrides.append(word)
            continue
        name, joined, value = word.partition("=")
        flag = _SHORT.get(name, name)
        if flag not in _FLAGS:
            near = nearest(name.lstrip("-"), [known.lstrip("-") for known in (*others, *_FLAGS)])
            raise UsageError(
                f"there is no option {name}",
                hint=f"did you mean --{near}?" if near else "`firnline run --help` and `--hydra-help` list them",
            )
        flags += [flag, *_value(flag, value if joined else None, left)]
    return Arguments(overrides=tuple(overrides), flags=tuple(flags))


def _value(flag: str, joined: str | None, left: list[str]) -> list[str]:
    """Take a flag's value off the words that are left."""
    expected = _FLAGS[flag]
    if not expected:
        return []
    if joined is not None:
        value: str | None = joined
    elif flag == _OPTIONAL and not (left and left[0] in expected):
        return []
    else:
        value = left.pop(0) if left and not left[0].startswith("-") else None
    if value is None or (isinstance(expected, tuple) and value not in expected):
        said = "nothing" if value is None else repr(value)
        wanted = expected if isinstance(expected, str) else ", ".join(expected)
        raise UsageError(f"{flag} is followed by {said}", hint=f"it takes {wanted}")
    return [value]
