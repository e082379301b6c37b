"""The Snowflake platform: a real account, by the name of its connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from firnline.domain import PlatformSpec
from firnline_snowpark.connections import read_connection
from firnline_snowpark.platform_params import SnowflakeParams

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_snowpark.account import SnowflakeAccount


def open_account(params: SnowflakeParams, project: Path) -> SnowflakeAccount:  # noqa: ARG001 (every platform is opened so)
    """Connect to the account.

    Raises:
        PlatformError: if there is no such connection, or the account refuses it.
    """
    name, _ = read_connection(params.connection)
    from firnline_snowpark.account import connect_account

    return connect_account(name, params)


def identity(params: SnowflakeParams, project: Path) -> str:  # noqa: ARG001 (every platform is asked so)
    """Return account, database, schema and role: results of one place are never taken for another's."""
    name, options = read_connection(params.connection)
    given = {"database": params.database, "schema": params.schema_name, "role": params.role}
    place = {part: value or options.get(part) for part, value in given.items()}
    return json.dumps({"account": options.get("account", name), **place}, sort_keys=True)


SNOWFLAKE: Final = PlatformSpec(
    name="snowflake",
    summary="A Snowflake account, by the name of its connection in connections.toml.",
    params=SnowflakeParams,
    open=open_account,
    identity=identity,
    lacks={"gpu": "stages run in a warehouse or on this machine; compute pools are not used yet"},
    modules=("snowflake.snowpark", "snowflake.connector"),
    extra="snowflake",
)
