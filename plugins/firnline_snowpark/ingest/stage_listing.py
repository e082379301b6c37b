"""What is on a stage, or at an address of which a stage is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowflake.snowpark.exceptions import SnowparkSQLException

from firnline.errors import DataError
from firnline_snowpark.literals import literal

if TYPE_CHECKING:
    from snowflake.snowpark import Session


def listed(session: Session, location: str, pattern: str | None, integration: str | None) -> list[list[str]]:
    """Return name, size and checksum of each file.

    Raises:
        DataError: the stage or the address cannot be listed.
    """
    matching = f" PATTERN = {literal(pattern)}" if pattern else ""
    try:
        if location.startswith("@"):
            rows = session.sql(f"LIST {location}{matching}").collect()
        else:
            session.sql(stage_sql("FIRNLINE_LISTED", location, integration)).collect()
            rows = session.sql(f"LIST @FIRNLINE_LISTED{matching}").collect()
    except SnowparkSQLException as error:
        raise DataError(f"{location} cannot be listed: {error.message}", hint="is it there?") from error
    return sorted([str(row["name"]), str(row["size"]), str(row["md5"])] for row in rows)


def stage_sql(name: str, location: str, integration: str | None) -> str:
    """Return the statement that makes a stage of an address."""
    reader = f" STORAGE_INTEGRATION = {integration}" if integration else ""
    return f"CREATE OR REPLACE TEMPORARY STAGE {name} URL = {literal(location)}{reader}"
