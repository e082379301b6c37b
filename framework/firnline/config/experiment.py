"""Experiments as files: write the choices of a run as an option of the group ``experiment``.

What is written is not what was typed but what it amounts to: the options chosen otherwise than by the project's own
files, and every value that differs from what these options then make. So it does not matter whether a choice came from
an override, from another experiment or from both, nor in which order.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from firnline.config.composed import NO_OPTION, TAKEN_OUT, Composed, from_hydra, take_out
from firnline.config.launch import PRIMARY, initialised
from firnline.config.overrides import rewrite_overrides
from firnline.config.settings import EXPERIMENT
from firnline.errors import ConfigError, UsageError

_REFERENCE: Final = re.compile(r"(\\*)\$\{")
_ROUNDS: Final = 200  # choices that differ; each is found by composing once


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The choices of a run as an option file.

    Attributes:
        text: the file's content.
        follows: whether values that refer to others still do. Where the project's files have changed since the run,
            what they said then is written out instead.
        override: what chooses it when the name is put behind it: ``+experiment=``.
    """

    text: str
    follows: bool
    override: str


@dataclass(frozen=True, slots=True)
class _Tree:
    """A composed configuration before anything in it is resolved, with the options that were chosen."""

    tree: dict[str, Any]
    choices: dict[str, Any]
    composed: Composed


def experiment_of(project: Path, recorded: Composed, title: str) -> Experiment:
    """Return the experiment with which the project's files make what a run used.

    Args:
        project: the project folder.
        recorded: the configuration that the run used.
        title: one line that says of what the choices are.

    Raises:
        ConfigError: the project's files do not compose, or an option is gone.
        UsageError: the configuration of the run cannot be made from the project's files.
    """
    target = _composed_again(project, recorded)
    follows = target is not None
    if target is None:
        target = _Tree(_escaped(dict(recorded.data)), _recorded_choices(recorded), recorded)
    base = _compose(project, [])
    plus = "" if EXPERIMENT in base.choices else "+"
    defaults: dict[str, tuple[str, Any]] = {}
    while (differing := _first_difference(base.choices, target.choices, defaults)) and len(defaults) < _ROUNDS:
        defaults |= differing
        base = _with_draft(project, plus, defaults, {})
    before = base.tree if follows else _escaped(dict(base.composed.data))
    values = _difference(before, target.tree)
    made = _with_draft(project, plus, defaults, values)
    compared = (made.tree, target.tree) if follows else (made.composed.data, recorded.data)
    if _plain(compared[0]) != _plain(compared[1]):
        raise UsageError(
            "the project's files cannot make the configuration of this run any more",
            hint="firnline run --from-run RUN uses it as it was recorded",
        )
    text = f"# @package _global_\n# {title}\n{_yaml(defaults, values)}"
    return Experiment(text=text, follows=follows, override=f"{plus}{EXPERIMENT}=")


def _composed_again(project: Path, recorded: Composed) -> _Tree | None:
    """Compose what the run was asked for; None if the project's files make something else of it now."""
    try:
        again = _compose(project, recorded.overrides)
    except ConfigError:
        return None
    # By their text: 1 is no True and no 1.0, and NaN is NaN.
    return again if repr(again.composed.data) == repr(recorded.data) else None


def _recorded_choices(recorded: Composed) -> dict[str, Any]:
    import yaml

    found = {}
    for group, option in recorded.choices.items():
        chosen = yaml.safe_load(option) if option.startswith("[") else None if option == NO_OPTION else option
        found[group] = chosen
    return found


def _compose(project: Path, overrides: Sequence[str]) -> _Tree:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    with initialised(project, overrides):
        config = hydra.compose(PRIMARY, overrides=rewrite_overrides(overrides), return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        choices: Any = OmegaConf.to_container(config.hydra.runtime.choices)
        tree: Any = {key: _raw(config, key) for key in config if key != "hydra"}
        chosen = {group: option for group, option in choices.items() if not group.startswith("hydra/")}
        return _Tree(take_out(tree), chosen, from_hydra(config, config.hydra, project))


def _raw(config: Any, key: Any) -> Any:
    from omegaconf import OmegaConf

    copied: Any = OmegaConf.to_container(OmegaConf.masked_copy(config, [key]), resolve=False)
    return copied[key]


def _with_draft(project: Path, plus: str, defaults: Mapping[str, tuple[str, Any]], values: Mapping[str, Any]) -> _Tree:
    with _stored(_yaml(defaults, values)) as name:
        return _compose(project, [f"{plus}{EXPERIMENT}={name}"])


@contextmanager
def _stored(text: str) -> Iterator[str]:
    """Let Hydra find an option file that is not written yet; yields its name."""
    from io import StringIO

    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    store, name = ConfigStore.instance(), f"draft_{uuid.uuid4().hex}"
    store.store(group=EXPERIMENT, name=name, node=OmegaConf.load(StringIO(text)), package="_global_")
    try:
        yield name
    finally:
        del store.repo[EXPERIMENT][f"{name}.yaml"]


def _first_difference(
    base: Mapping[str, Any], target: Mapping[str, Any], known: Mapping[str, tuple[str, Any]]
) -> dict[str, tuple[str, Any]] | None:
    """Return the next choice to write down: group → how it is written, and the option.

    One at a time, since a choice may bring others with it: those that exist are changed first, the pipeline before all.
    """
    groups = [group for group in {**base, **target} if group != EXPERIMENT and base.get(group) != target.get(group)]
    changed = [group for group in groups if group in base and target.get(group) is not None]
    for group in sorted(changed, key=lambda name: name != "pipeline"):
        # What an earlier round added is there as well, and is no one else's to override.
        return {group: (known.get(group, ("override", None))[0], target[group])}
    for group in groups:
        if group in base:
            return {group: (known.get(group, ("override", None))[0], None)}
        return {group: ("add", target[group])}
    return None


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be merged into ``before`` to make ``after`` of it."""
    changes: dict[str, Any] = {}
    for key, value in after.items():
        if key in before and isinstance(value, Mapping) and isinstance(before[key], Mapping):
            below = _difference(before[key], value)
            if below:
                changes[key] = below
        elif key not in before or repr(before[key]) != repr(value):
            changes[key] = value
    return changes | {key: TAKEN_OUT for key in before if key not in after}


def _yaml(defaults: Mapping[str, tuple[str, Any]], values: Mapping[str, Any]) -> str:
    """Return the body of the file. OmegaConf's own writer quotes what its reader would take for a number."""
    from omegaconf import OmegaConf

    added = [{f"/{group}": option} for group, (how, option) in defaults.items() if how == "add"]
    overridden = [{f"override /{group}": option} for group, (how, option) in defaults.items() if how == "override"]
    head = {"defaults": [*added, "_self_", *overridden]}
    parts: list[str] = [OmegaConf.to_yaml(OmegaConf.create(one)) for one in (head, dict(values)) if one]
    return "".join(parts).replace("\n- ", "\n  - ", len(added) + 1 + len(overridden))


def _escaped(value: Any) -> Any:
    """Write a resolved value so that nothing in it is taken for an interpolation."""
    match value:
        case str():
            return _REFERENCE.sub(r"\1\1\\${", value)
        case Mapping():
            return {key: _escaped(one) for key, one in value.items()}
        case list():
            return [_escaped(one) for one in value]
        case _:
            return value


def _plain(tree: Mapping[str, Any]) -> str:
    """Return text that is equal where two configurations are; a node that is null is as good as none."""
    import json

    return json.dumps({k: v for k, v in tree.items() if v is not None}, sort_keys=True, default=str)
