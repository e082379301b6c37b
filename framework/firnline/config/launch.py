"""The one home of Hydra: compose a configuration, or run a job as a Hydra application."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from firnline.config.arguments import Arguments
from firnline.config.composed import Composed, from_hydra
from firnline.config.hydra_errors import as_config_error
from firnline.config.overrides import rewrite_overrides
from firnline.config.search_path import CORE_CONF, PROJECT_CONF, install_search_path
from firnline.errors import FirnlineError, UsageError

if TYPE_CHECKING:
    from omegaconf import DictConfig

PRIMARY: Final = "config"
CORE_PRIMARY: Final = "firnline"
# Hydra's own log files and console lines would stand beside ours.
_QUIET: Final = ("hydra/job_logging", "hydra/hydra_logging")
# The flags with which jobs run and the configuration is found where it always is.
_RUNS: Final = frozenset({"--run", "--multirun"})


def compose(project: Path, overrides: Sequence[str]) -> Composed:
    """Compose the project's configuration without running anything.

    Raises:
        ConfigError: Hydra cannot compose it.
        UsageError: the folder has no ``conf/config.yaml``.
    """
    import hydra
    from hydra.core.hydra_config import HydraConfig

    with initialised(project, overrides):
        config = hydra.compose(PRIMARY, overrides=rewrite_overrides(overrides), return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        return from_hydra(config, config.hydra, project)


@contextlib.contextmanager
def initialised(project: Path, overrides: Sequence[str]) -> Iterator[Any]:
    """Have Hydra look into the project's folder; yields its application. Its errors come out as ours.

    Raises:
        ConfigError: Hydra refuses the configuration inside.
        UsageError: the folder has no ``conf/config.yaml``.
    """
    import hydra
    from hydra.core.global_hydra import GlobalHydra

    folder = _conf_folder(project)
    install_search_path()
    with (
        _translated(project, overrides),
        hydra.initialize_config_dir(str(folder), job_name="firnline", **_version_base()),
    ):
        yield GlobalHydra.instance().hydra


class Here:
    """What a launcher of ours finds beside the task: known in this process alone, so nothing of it is pickled."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def __reduce__(self) -> tuple[type[Here], tuple[()]]:
        """Leave the value behind."""
        return Here, ()


def launch(
    project: Path,
    arguments: Arguments,
    job: Callable[[Composed], Any],
    *,
    here: Any = None,
    checked: bool = False,
) -> None:
    """Run ``job`` as a Hydra application: once, or for each combination of a multirun (``-m``).

    Hydra parses the arguments, so ``--cfg``, ``--info``, ``--config-dir``, launchers and sweepers work as its
    documentation says. What ``job`` returns goes to the sweeper. With a launcher that uses processes it is pickled.

    Args:
        project: the project folder.
        arguments: what was typed.
        job: what to do with each configuration.
        here: what our own launcher finds as ``task_function.here.value``.
        checked: every job of the multirun was composed already, so that Hydra's sweeper need not do it once more.

    Raises:
        ConfigError: Hydra cannot compose the configuration.
        UsageError: the folder has no ``conf/config.yaml``.
    """
    import hydra

    if arguments.completes:
        _complete(project, arguments)
        return
    folder = _conf_folder(project)
    install_search_path()
    overrides = arguments.overrides
    quiet = [f"{group}=none" for group in _QUIET if not any(o.lstrip("+").startswith(group) for o in overrides)]
    words = [*rewrite_overrides(overrides), *quiet]

    def firnline(config: DictConfig) -> Any:  # pickled by value, with the job, by launchers that use processes
        from hydra.core.hydra_config import HydraConfig

        return job(from_hydra(config, HydraConfig.get(), project))

    firnline.here = Here(here)  # type: ignore[attr-defined]  # the task is all that a launcher gets from us
    with _checked_before() if checked else contextlib.nullcontext(), _translated(project, overrides), _logging_kept():
        if _is_before_1_4() and _RUNS.issuperset(arguments.flags):
            _execute(folder, words, firnline, multirun=arguments.is_multirun)
            return
        entry = hydra.main(config_path=str(folder), config_name=PRIMARY, **_version_base())(firnline)
        with _arguments(["firnline", *words, *arguments.flags]):
            entry()


@contextlib.contextmanager
def _checked_before() -> Iterator[None]:
    """Have Hydra's sweepers not compose every job only to see whether it can be composed."""
    from hydra.plugins.sweeper import Sweeper

    before = Sweeper.validate_batch_is_legal
    Sweeper.validate_batch_is_legal = lambda _self, _batch: None
    try:
        yield
    finally:
        Sweeper.validate_batch_is_legal = before


def _execute(folder: Path, words: list[str], task: Callable[[DictConfig], Any], *, multirun: bool) -> None:
    """Do what ``hydra.main`` does for a run or a multirun, but compose the configuration once.

    Before 1.4 ``hydra.main`` composes it a first time only to look up ``hydra.mode``.
    """
    import hydra
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.utils import configure_log
    from hydra.errors import HydraException
    from hydra.types import RunMode

    with hydra.initialize_config_dir(str(folder), job_name="firnline", **_version_base()):
        app = GlobalHydra.instance().hydra
        assert app is not None, "it was initialised above"
        if multirun:
            app.multirun(config_name=PRIMARY, task_function=task, overrides=[*words, "hydra.mode=MULTIRUN"])
            return
        try:
            config = app.compose_config(config_name=PRIMARY, overrides=words, run_mode=RunMode.RUN)
            mode = config.hydra.mode
        except HydraException:  # `a=1,2` is right where a file sets hydra.mode: MULTIRUN
            mode = app.get_mode(config_name=PRIMARY, overrides=words)
            if mode != RunMode.MULTIRUN:
                raise
        if mode == RunMode.MULTIRUN:
            app.multirun(config_name=PRIMARY, task_function=task, overrides=words)
            return

        def composed_before(**_: Any) -> DictConfig:
            configure_log(config.hydra.hydra_logging, config.hydra.verbose)
            return config

        app.compose_config = composed_before
        app.run(config_name=PRIMARY, task_function=task, overrides=words)


def _complete(project: Path, arguments: Arguments) -> None:
    """Answer the shell: ``install=bash`` anywhere, since ``~/.bashrc`` asks for it; choices only in a project."""
    import hydra

    here = (project / PROJECT_CONF / f"{PRIMARY}.yaml").is_file()
    if not here and any(word.startswith("query=") for word in arguments.overrides):
        return
    folder, primary = (project / PROJECT_CONF, PRIMARY) if here else (CORE_CONF, CORE_PRIMARY)
    install_search_path()
    entry = hydra.main(config_path=str(folder.resolve()), config_name=primary, **_version_base())(lambda _: None)
    with _arguments(["firnline", *arguments.overrides, *arguments.flags]), _logging_kept():
        try:
            entry()
        except ValueError as error:  # so Hydra says that it does not know the shell, or what to do
            raise UsageError(
                " ".join(str(error).split()), hint='in bash: eval "$(firnline -sc install=bash)"'
            ) from error


def _conf_folder(project: Path) -> Path:
    folder = project / PROJECT_CONF
    if not (folder / f"{PRIMARY}.yaml").is_file():
        raise UsageError(
            f"{project} has no {PROJECT_CONF}/{PRIMARY}.yaml",
            hint="go to the project's folder, or start one here with `firnline init`",
        )
    return folder.resolve()


def _version_base() -> dict[str, str]:
    """Ask for today's behaviour; Hydra 1.4 has no other and warns about the argument."""
    return {"version_base": "1.3"} if _is_before_1_4() else {}


def _is_before_1_4() -> bool:
    import hydra
    from packaging.version import Version

    return Version(hydra.__version__) < Version("1.4.0.dev0")


@contextlib.contextmanager
def _translated(project: Path, overrides: Sequence[str]) -> Iterator[None]:
    """Let Hydra's errors out as ours, with the cause kept."""
    try:
        yield
    except FirnlineError:
        raise
    except Exception as error:
        translated = as_config_error(error, project, overrides)
        if translated is None:
            raise
        raise translated from error


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """Put the root logger back as it was: Hydra sets it up anew, to the streams of this moment."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


@contextlib.contextmanager
def _arguments(arguments: list[str]) -> Iterator[None]:
    """Set what ``hydra.main`` reads from the process, and put it back."""
    before, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = arguments, "1"
    try:
        yield
    finally:
        sys.argv = before
        if full_error is None:
            os.environ.pop("HYDRA_FULL_ERROR", None)
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
