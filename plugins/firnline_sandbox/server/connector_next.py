"""What version 5 of the connector (rewritten on a core in Rust) needs beyond version 4. It is not supported yet.

Known from trying 5.2.0, and kept in this one place so that support is added here:

- It refuses ``LOCAL_FS`` stages: PUT and GET have to be answered with an S3, GCS or Azure shaped ``stageInfo`` whose
  presigned URLs point at this server.
- It asks for a background query's result under another path than ``/queries/{id}/result``.

The server tells such a client so at login instead of letting its file transfers fail one by one.
"""

from __future__ import annotations

from typing import Any, Final

_SUPPORTED_MAJOR: Final = 4


def refusal(client: dict[str, Any]) -> str | None:
    """Say why a client that logs in cannot be served; None if it can."""
    if client.get("CLIENT_APP_ID") != "PythonConnector":
        return None
    major = str(client.get("CLIENT_APP_VERSION", "")).partition(".")[0]
    if major.isdigit() and int(major) > _SUPPORTED_MAJOR:
        return (
            f"snowflake-connector-python {client['CLIENT_APP_VERSION']} is not supported by the sandbox's server; "
            f"install version {_SUPPORTED_MAJOR}"
        )
    return None
