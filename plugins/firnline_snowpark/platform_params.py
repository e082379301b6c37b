"""Params of the Snowflake platform. No secrets: those stand in Snowflake's own connections.toml."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Params


class SnowflakeParams(Params):
    """Which account, and where in it. What is left out is as the connection says."""

    connection: str | None = Field(
        default=None, min_length=1, description="name of a connection in connections.toml; by default the default one"
    )
    database: str | None = Field(default=None, min_length=1, description="database for the tables of the stages")
    schema_name: str | None = Field(default=None, min_length=1, description="schema for the tables of the stages")
    warehouse: str | None = Field(default=None, min_length=1, description="warehouse that computes")
    role: str | None = Field(default=None, min_length=1, description="role that everything is done with")
