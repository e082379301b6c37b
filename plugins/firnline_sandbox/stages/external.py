"""What the definition of an external stage may say."""

from __future__ import annotations

import ipaddress
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import invalid_argument, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

AZURE_HOST: Final = ".blob.core.windows.net"
_CREDENTIALS: Final = {
    "s3": frozenset({"AWS_KEY_ID", "AWS_SECRET_KEY", "AWS_TOKEN"}),
    "s3compat": frozenset({"AWS_KEY_ID", "AWS_SECRET_KEY"}),
    "azure": frozenset({"AZURE_SAS_TOKEN"}),
}


def check_external(url: str, credentials: Mapping[str, Any], endpoint: str) -> None:
    """Check what a stage's definition says.

    Raises:
        ProgrammingError: 1015, the URL, the credentials or the endpoint are none; 2, the sandbox lacks the storage.
    """
    parts = urllib.parse.urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _CREDENTIALS:
        raise unsupported(f"external stage URL = {scheme}://")
    if not parts.netloc:
        raise invalid_argument(f"invalid URL '{url}' of an external stage")
    if scheme == "azure" and not (parts.netloc.endswith(AZURE_HOST) and parts.path.strip("/")):
        raise invalid_argument(f"invalid URL '{url}'; it is azure://<account>{AZURE_HOST}/<container>[/<path>]")
    if unknown := sorted(set(credentials) - _CREDENTIALS[scheme]):
        raise unsupported(f"CREDENTIALS ({unknown[0]}) of {scheme}://")
    if scheme == "s3compat" and not endpoint:
        raise invalid_argument("an s3compat:// stage needs ENDPOINT = '...'")
    if scheme != "s3compat" and endpoint:
        raise invalid_argument(f"ENDPOINT does not go with {scheme}://")
    if endpoint.startswith("http://") and not _is_loopback(endpoint):
        raise unsupported("an ENDPOINT over http:// on another machine")


def _is_loopback(endpoint: str) -> bool:
    host = urllib.parse.urlsplit(endpoint).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
