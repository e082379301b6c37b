"""Hydra's own errors as problems like all others: what, where, nearest name, hint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from firnline.config.names import nearest
from firnline.config.overrides import as_typed, override_path, typed_source
from firnline.config.search_path import PROJECT_CONF, find_conf_folders, find_options
from firnline.errors import ConfigError, Problem

_DOUBLE: Final = re.compile(r"^(?:Multiple values for (\S+)\. |(\S+) appears more than once in)", re.MULTILINE)
# Hydra's plugins that come with an extra of ours: config file → extra.
_EXTRAS: Final = {"hydra/launcher/joblib": "sweep"}


def as_config_error(error: Exception, project: Path, overrides: Iterable[str]) -> ConfigError | None:
    """Translate an error of Hydra's composition; None for an error that is not about the configuration."""
    from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    overrides = tuple(overrides)
    problem: Problem | None = None
    if isinstance(error, OverrideParseException):
        problem = _unparsable(error, overrides)
    elif isinstance(error, MissingConfigException):
        problem = _missing_option(error.missing_cfg_file, error, project, overrides)
    elif isinstance(error, ConfigCompositionException):
        problem = _composition(error, project, overrides)
    elif isinstance(error, YAMLError):
        problem = Problem(
            path="conf", message="a config file is not YAML", expected=str(error), hint="correct the file"
        )
    elif isinstance(error, HydraException | OmegaConfBaseException):
        problem = Problem(path=str(getattr(error, "full_key", None) or "config"), message=_first_line(error))
    elif isinstance(error, ValueError) and "--" in str(error):
        problem = Problem(path="command line", message=_first_line(error))
    return ConfigError((problem,)) if problem is not None else None


def _unparsable(error: Exception, overrides: tuple[str, ...]) -> Problem:
    typed = as_typed(str(getattr(error, "override", "")), overrides)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    details = next((line for line in lines if not line.startswith(("Error parsing override", "See "))), lines[0])
    return Problem(
        path=override_path(typed),
        message=f"the override does not parse: {details.rstrip('.')}",
        value=typed,
        source=typed_source(typed),
        expected="PATH=VALUE, GROUP=OPTION, +PATH=VALUE or ~PATH",
        hint="quote values that hold spaces, commas or braces: 'a.b=\"x y\"'",
    )


def _missing_option(missing: str | None, error: Exception, project: Path, overrides: tuple[str, ...]) -> Problem:
    if not missing:
        return Problem(path="conf", message=_first_line(error))
    missing = missing.removesuffix(".yaml")
    group, _, option = missing.rpartition("/")
    groups = find_options(project)
    known = set(groups.get(group, ())) | set(getattr(error, "options", None) or ())
    if not known:
        typed = next((o for o in overrides if override_path(o).partition("@")[0] == group), None)
        return Problem(
            path=group or missing,
            message=f"no config file {missing!r} on the search path",
            source=typed_source(typed) if typed else None,
            nearest=nearest(group, groups),
            hint="firnline run --info searchpath shows where Hydra looks",
        )
    typed = next((o for o in overrides if _chooses(o, group, option)), None)
    extra = _EXTRAS.get(missing)
    plugin = "install the plugin that brings it"
    return Problem(
        path=group,
        message=f"there is no option {option!r}",
        value=option,
        source=typed_source(typed) if typed else _line_that_chooses(project, group, option),
        expected=f"one of {', '.join(sorted(known))}",
        nearest=nearest(option, known),
        hint=f"pip install 'firnline[{extra}]'"
        if extra
        else (plugin if group.startswith("hydra/") else f"add conf/{group}/{option}.yaml, or {plugin}"),
    )


def _chooses(override: str, group: str, option: str) -> bool:
    """Tell whether an override chooses an option, alone or as one choice of a sweep."""
    value = override.lstrip("+").partition("=")[2]
    return override_path(override).partition("@")[0] == group and option in re.split(r"[\s,()]+", value)


def _composition(error: Exception, project: Path, overrides: tuple[str, ...]) -> Problem:
    text = str(error)
    if named := re.search(r"In '[^']+': Could not find '([^']+)'", text):
        return _missing_option(f"{named[1]}.yaml", error, project, overrides)
    if double := _DOUBLE.search(text):
        return _chosen_twice(double[1] or double[2], overrides)
    found = re.search(r"[Cc]ould not (?:override|find|append to|append|delete)[^']*'([^']+)'", text)
    path = found[1].partition("@")[0].partition("=")[0].lstrip("+~") if found else "config"
    return _no_such_key(path, _typed(path, overrides), project) if found else Problem(path=path, message=_said(error))


def _line_that_chooses(project: Path, group: str, option: str) -> str:
    """Find the line of a defaults list that chooses an option; the project's files are looked at first."""
    choice = re.compile(rf"(^|\W){re.escape(group)}\b.*\W{re.escape(option)}\s*(#.*|[}}\]].*)?$")
    return _line(project, choice) or "a defaults list in conf/"


def _line_that_overrides(group: str, project: Path) -> str | None:
    """Find the line of a defaults list that overrides the choice of a group."""
    return _line(project, re.compile(rf"\boverride\s+/?{re.escape(group)}(@\w+)?\s*:"))


def _line(project: Path, wanted: re.Pattern[str]) -> str | None:
    for folder in (project / PROJECT_CONF, *(found.path for found in find_conf_folders())):
        for file in sorted(folder.rglob("*.yaml")):
            for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
                if wanted.search(line):
                    shown = file.relative_to(project).as_posix() if file.is_relative_to(project) else str(file)
                    return f"{shown}:{number}"
    return None


def _chosen_twice(group: str, overrides: tuple[str, ...]) -> Problem:
    typed = next((o for o in overrides if o.startswith("+") and override_path(o) == group), None)
    return Problem(
        path=group,
        message="an option of this group is chosen already",
        source=typed_source(typed) if typed else None,
        hint=f"change the choice with {typed.lstrip('+')}, or make a second stage with +{group}@NAME=OPTION"
        if typed
        else f"take one of the two out of the defaults lists, or write `override /{group}: OPTION` in the later one",
    )


def _no_such_key(path: str, typed: str | None, project: Path) -> Problem:
    groups = find_options(project)
    taken_out = typed is not None and typed.startswith("~")
    hint = None
    if typed is not None and not taken_out and not path.startswith("hydra."):
        hint = f"use +{typed.lstrip('+')} if you mean to add a stage or group"
    elif typed is None and path in groups:
        hint = "the first line of an experiment and of a pipeline is `# @package _global_`"
    return Problem(
        path=path,
        message="there is nothing to take out" if taken_out else "the config has no such key or group",
        value=(typed.partition("=")[2] or None) if typed else None,
        source=typed_source(typed) if typed else _line_that_overrides(path, project),
        nearest=nearest(path, groups) if path not in groups else None,
        hint=hint,
    )


def _typed(path: str, overrides: Iterable[str]) -> str | None:
    return next((o for o in overrides if override_path(o).partition("@")[0] == path), None)


def _said(error: Exception) -> str:
    """Return the first line, with the cause that Hydra hides behind `Error merging override`."""
    cause = error.__cause__
    return f"{_first_line(error)}: {_first_line(cause)}" if isinstance(cause, Exception) else _first_line(error)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
