"""What Hydra composed, as plain data with the facts that later messages need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from firnline.config.search_path import find_conf_folders
from firnline.errors import Problem, UsageError

if TYPE_CHECKING:
    from omegaconf import DictConfig

# As a value in a file it does what ~PATH does on the command line: the key is not there.
TAKEN_OUT: Final = "<taken out>"
# The chosen option of a group of which none is chosen (`override /score: null`).
NO_OPTION: Final = "null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A composed configuration.

    Attributes:
        data: the whole config without the ``hydra`` node, interpolations resolved.
        project: the project folder (that of ``conf/``).
        choices: config group → chosen option; ``null`` for none.
        sources: the folders on the search path, in the order in which Hydra looks.
        primary: name of the primary config file, without ``.yaml``.
        overrides: what was typed, task overrides only.
        job: number of the job in a multirun; None in a single run.
        problems: what was found wrong while composing; :func:`firnline.config.check` refuses them with all others.
    """

    data: Mapping[str, Any]
    project: Path
    choices: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    primary: str = "config"
    overrides: tuple[str, ...] = ()
    job: int | None = None
    problems: tuple[Problem, ...] = ()

    def to_yaml(self) -> str:
        """Return the resolved config as YAML, in the order in which it was composed."""
        import yaml

        # The C emitter writes the same text ten times as fast, where PyYAML was built with it.
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text: str = yaml.dump(dict(self.data), Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)
        return text


def from_hydra(config: DictConfig, hydra_node: Any, project: Path) -> Composed:
    """Take over what Hydra composed.

    Args:
        config: the task config (a ``hydra`` node in it is left out).
        hydra_node: the ``hydra`` node, for choices and overrides.
        project: the project folder.

    Returns:
        The configuration. What cannot be resolved (an interpolation, a mandatory value ``???``) stays as it was written
        and is noted in ``problems``, so that :func:`firnline.config.check` tells it together with all others.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    problems: list[Problem] = []
    data: dict[str, Any] = {}
    for key in config:
        if key == "hydra":
            continue
        try:
            node = config._get_node(key)  # noqa: SLF001 (the public way resolves a scalar too early)
            data[str(key)] = (
                OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
                if OmegaConf.is_config(node) and not node._is_none()  # noqa: SLF001
                else config[key]
            )
        except OmegaConfBaseException as error:
            problems.append(_unresolved(str(key), error))
            node = config._get_node(key)  # noqa: SLF001 (as above)
            data[str(key)] = OmegaConf.to_container(node) if OmegaConf.is_config(node) else "???"
    # A stage that is taken out stays as one that is null: others may name it, and do without.
    data = {key: None if value == TAKEN_OUT else value for key, value in data.items()}
    data = take_out(data)
    runtime = hydra_node.runtime
    number = OmegaConf.select(hydra_node, "job.num", throw_on_missing=False)
    return Composed(
        data=data,
        project=project,
        choices={
            str(key): str(value) if value is not None else NO_OPTION
            for key, value in runtime.choices.items()
            if not str(key).startswith("hydra/")
        },
        sources=tuple(
            Path(source.path) for source in runtime.config_sources if source.schema == "file" and source.path
        ),
        primary=str(hydra_node.job.config_name),
        overrides=_typed(hydra_node),
        job=int(number) if number is not None else None,
        problems=tuple(problems),
    )


def take_out(data: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping without the keys that a file takes out, at any depth."""
    return {
        key: take_out(value) if isinstance(value, dict) else value for key, value in data.items() if value != TAKEN_OUT
    }


def _typed(hydra_node: Any) -> tuple[str, ...]:
    """Return the overrides as they were typed: an interpolation in one of them is text here."""
    from omegaconf import OmegaConf

    task = OmegaConf.to_container(hydra_node.overrides.task, resolve=False)
    return tuple(str(override).removeprefix("++") for override in task)


def _unresolved(key: str, error: Exception) -> Problem:
    path = str(getattr(error, "full_key", None) or key)
    message = str(error).partition("\n")[0]
    if "Missing mandatory value" in message:
        return Problem(
            path=path,
            message="a value must be given",
            value="???",
            hint=f"give it on the command line, for example {path}=VALUE",
        )
    return Problem(
        path=path,
        message=f"it cannot be resolved: {message}",
        hint="an interpolation such as ${data.path} must name a value that the config has",
    )


def read_composed(project: Path, folder: Path) -> Composed:
    """Return the configuration that an earlier run used, from its folder.

    Raises:
        UsageError: the folder is gone or damaged.
    """
    import json

    import yaml

    try:
        data = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
        facts = json.loads((folder / "overrides.json").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(
            f"the configuration of the run in {folder} cannot be read: {error}", hint="run it again with firnline run"
        ) from error
    sources = (project / "conf", *(item.path for item in find_conf_folders()))
    return Composed(
        data=data,
        project=project,
        choices=facts["choices"],
        sources=sources,
        overrides=tuple(facts["overrides"]),
    )
