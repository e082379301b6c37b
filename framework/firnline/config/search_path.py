"""Put the option files of plugins on Hydra's search path, from entry-point metadata, without importing a plugin."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firnline.loading import CONF_GROUP, FoundEntry, Selection, find_entries

if TYPE_CHECKING:
    from hydra.core.config_search_path import ConfigSearchPath

CORE_CONF: Final = Path(__file__).resolve().parent.parent / "conf"
PROJECT_CONF: Final = "conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfFolder:
    """A folder of option files that a distribution brings.

    Attributes:
        provider: the distribution with its version.
        path: the folder.
    """

    provider: str
    path: Path


def find_conf_folders(
    entries: Sequence[FoundEntry] | None = None, selection: Selection | None = None
) -> tuple[ConfFolder, ...]:
    """Return the config folders of installed plugins that exist, the core's own first."""
    selection = selection if selection is not None else Selection.from_environment()
    folders = [ConfFolder(provider="firnline", path=CORE_CONF)]
    for entry in entries if entries is not None else find_entries(CONF_GROUP):
        path = None if selection.refusal(entry) else _locate(entry.value)
        if path is not None:
            folders.append(ConfFolder(provider=entry.label, path=path))
    return tuple(folders)


def _locate(value: str) -> Path | None:
    """Find the folder behind ``package.sub.folder`` by the top-level package alone: finding it imports nothing."""
    package, *rest = value.split(".")
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(location).joinpath(*rest)
        if path.is_dir():
            return path.resolve()
    return None


def install_search_path() -> None:
    """Tell Hydra, in this process, to look into the folders of plugins after the project's own."""
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class FirnlineSearchPathPlugin(SearchPathPlugin):  # type: ignore[misc]
        """Appends the folders, so that the project's options win."""

        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            present = {element.path for element in search_path.get_path()}
            for folder in find_conf_folders():
                url = f"file://{folder.path}"
                if url not in present:
                    search_path.append(provider=folder.provider, path=url)

    plugins = Plugins.instance()
    if not any(known.__name__ == FirnlineSearchPathPlugin.__name__ for known in plugins.discover(SearchPathPlugin)):
        plugins.register(FirnlineSearchPathPlugin)


def find_options(project: Path) -> dict[str, dict[str, tuple[ConfFolder, ...]]]:
    """Return group → option → the folders that offer it, the project's first (it wins)."""
    options: dict[str, dict[str, tuple[ConfFolder, ...]]] = {}
    folders = (ConfFolder(provider="this project", path=project / PROJECT_CONF), *find_conf_folders())
    for folder in folders:
        for file in sorted(folder.path.rglob("*.yaml")):
            relative = file.relative_to(folder.path)
            group = relative.parent.as_posix()
            if group == ".":
                continue
            by_option = options.setdefault(group, {})
            by_option[relative.stem] = (*by_option.get(relative.stem, ()), folder)
    return options


def double_providers(options: Mapping[str, Mapping[str, tuple[ConfFolder, ...]]]) -> list[tuple[str, str, list[str]]]:
    """Return (group, option, providers) where two plugins bring one option; a project may override knowingly."""
    found = []
    for group, by_option in options.items():
        for option, folders in by_option.items():
            providers = [folder.provider for folder in folders if folder.provider != "this project"]
            if len(providers) > 1:
                found.append((group, option, providers))
    return found
