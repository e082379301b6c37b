"""Read which connections Snowflake's own files name, without importing its client and without touching secrets."""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from firnline.errors import PlatformError

DEFAULT_NAME: Final = "default"
_HOW: Final = (
    "name one as in https://docs.snowflake.com/developer-guide/snowflake-cli/connecting/configure-connections, "
    "or take platform=sandbox, which needs no account"
)


def config_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return the folder in which Snowflake's clients look for their files."""
    own = Path(environment.get("SNOWFLAKE_HOME", home / ".snowflake")).expanduser()
    if own.exists():
        return own
    match sys.platform:
        case "darwin":
            return home / "Library" / "Application Support" / "snowflake"
        case "win32":
            return Path(environment.get("LOCALAPPDATA", home)) / "snowflake"
        case _:
            return Path(environment.get("XDG_CONFIG_HOME", home / ".config")) / "snowflake"


def read_connection(
    name: str | None, environment: Mapping[str, str] = os.environ, home: Path | None = None
) -> tuple[str, Mapping[str, Any]]:
    """Return the name of a connection and its options.

    Args:
        name: as in the config; None takes the default connection.
        environment: where the variables of Snowflake's clients stand.
        home: the user's home folder.

    Raises:
        PlatformError: if there is no such connection, or a file cannot be read.
    """
    folder = config_folder(environment, home if home is not None else Path.home())
    settings = _parse(folder / "config.toml")
    known = _known(folder, settings, environment)
    default = environment.get("SNOWFLAKE_DEFAULT_CONNECTION_NAME") or settings.get("default_connection_name")
    wanted = name or str(default or DEFAULT_NAME)
    if wanted in known:
        return wanted, known[wanted]
    if not known:
        raise PlatformError(f"there are no Snowflake connections in {folder / 'connections.toml'}", hint=_HOW)
    nearest = difflib.get_close_matches(wanted, known, n=1)
    raise PlatformError(
        f"there is no Snowflake connection {wanted!r} in {folder / 'connections.toml'}",
        hint=(f"did you mean {nearest[0]!r}? " if nearest else "")
        + f"Known are {', '.join(sorted(known)[:20])}; choose with platform.connection=NAME",
    )


def _known(folder: Path, settings: Mapping[str, Any], environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the connections in the order of precedence of Snowflake's clients."""
    text = environment.get("SNOWFLAKE_CONNECTIONS")
    if text is not None:
        return _tables(_loads(text, "the environment variable SNOWFLAKE_CONNECTIONS"))
    file = folder / "connections.toml"
    if file.exists():
        return _tables(_parse(file))
    return _tables(settings.get("connections", {}))


def _parse(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise PlatformError(f"{file} cannot be read: {error}", hint="mend the file or its permissions") from error
    return _loads(text, str(file))


def _loads(text: str, where: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlatformError(f"{where} is not valid TOML: {error}", hint="mend it") from error


def _tables(data: Any) -> Mapping[str, Any]:
    return {name: value for name, value in data.items() if isinstance(value, dict)} if isinstance(data, dict) else {}
