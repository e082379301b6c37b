"""Hydra's own errors as problems like all others: what, where, nearest name, hint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from firnline.config.overrides import override_path
from firnline.config.search_path import find_options
from firnline.errors import ConfigError, Problem


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that is closest to what was written, if any is close."""
    matches = difflib.get_close_matches(word, list(names), n=1, cutoff=0.6)
    return matches[0] if matches else None


def as_config_error(error: Exception, project: Path, overrides: Iterable[str]) -> ConfigError | None:
    """Translate an error of Hydra's composition; None for an error that is not about the configuration."""
    from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    problem: Problem | None = None
    if isinstance(error, OverrideParseException):
        problem = Problem(
            path=override_path(error.override),
            message=f"the override does not parse: {_first_line(error)}",
            value=error.override,
            source=f"the command line ({error.override})",
            expected="PATH=VALUE, GROUP=OPTION, +PATH=VALUE or ~PATH",
            hint="quote values that hold spaces, commas or braces: 'a.b=\"x y\"'",
        )
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


def _missing_option(missing: str | None, error: Exception, project: Path, overrides: Iterable[str]) -> Problem:
    if not missing:
        return Problem(path="conf", message=_first_line(error))
    group, _, option = missing.removesuffix(".yaml").rpartition("/")
    options = find_options(project)
    if group not in options:
        typed = next((o for o in overrides if override_path(o).partition("@")[0] == group), None)
        return Problem(
            path=group or missing,
            message=f"no config file {missing!r} on the search path",
            source=f"the command line ({typed})" if typed else None,
            nearest=nearest(group, options),
            hint="firnline run --info searchpath shows where Hydra looks",
        )
    typed = next((o for o in overrides if o.lstrip("+").partition("=")[2] == option), None)
    return Problem(
        path=group,
        message=f"there is no option {option!r}",
        value=option,
        source=f"the command line ({typed})" if typed else "a defaults list in conf/",
        expected=f"one of {', '.join(sorted(options[group]))}",
        nearest=nearest(option, options[group]),
        hint=f"add conf/{group}/{option}.yaml, or install the plugin that brings it",
    )


def _composition(error: Exception, project: Path, overrides: Iterable[str]) -> Problem:
    text = str(error)
    found = re.search(r"[Cc]ould not (?:override|find|append to|delete)[^']*'([^']+)'", text)
    path = found[1].partition("@")[0] if found else "config"
    typed = next((o for o in overrides if override_path(o).partition("@")[0] == path), None)
    groups = find_options(project)
    missing = re.search(r"In '([^']+)': Could not find '([^']+)'", text)
    if missing is not None:
        problem = _missing_option(f"{missing[2]}.yaml", error, project, overrides)
        return Problem(
            path=problem.path,
            message=f"{problem.message} (named in {missing[1]})",
            value=problem.value,
            source=problem.source,
            expected=problem.expected,
            nearest=problem.nearest,
            hint=problem.hint,
        )
    return Problem(
        path=path,
        message="the config has no such key or group" if found else _first_line(error),
        value=typed.partition("=")[2] if typed else None,
        source=f"the command line ({typed})" if typed else None,
        nearest=nearest(path, groups),
        hint=f"use +{typed} if you mean to add a stage or group" if typed else None,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
