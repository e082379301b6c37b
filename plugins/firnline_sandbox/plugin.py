"""What this plugin offers: the sandbox platform. Light: DuckDB and the clients are imported when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import Field

from firnline.domain import Params, PlatformSpec
from firnline.hooks.markers import hookimpl

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.platform import SandboxPlatform

FIRNLINE_API = ">=1,<2"

MEMORY: Final = ":memory:"


class SandboxParams(Params):
    """Where the sandbox keeps its data."""

    path: str = Field(
        default=".firnline/sandbox",
        min_length=1,
        description="folder of tables, stages and models, relative to the project; ':memory:' forgets them",
    )
    wait_s: float = Field(
        default=600.0, ge=0, description="how long to wait for another process that has the folder open, in seconds"
    )


def open_sandbox(params: SandboxParams, project: Path) -> SandboxPlatform:
    """Open the sandbox's folder, making it if it is new.

    Raises:
        PlatformError: another process has it open, or it cannot be read.
    """
    from firnline_sandbox.platform import SandboxPlatform

    return SandboxPlatform.open(_place(params, project), wait_s=params.wait_s)


def identity(params: SandboxParams, project: Path) -> str:
    """Name the sandbox: its own identity once it was opened, its place before."""
    place = _place(params, project)
    if place == MEMORY:
        import uuid

        return f"sandbox in memory {uuid.uuid4()}"
    from pathlib import Path

    known = Path(place) / "identity"
    return f"sandbox {known.read_text(encoding='utf-8').strip()}" if known.exists() else f"sandbox in {place}"


def _place(params: SandboxParams, project: Path) -> str:
    return MEMORY if params.path == MEMORY else str((project / params.path).resolve())


SANDBOX: Final = PlatformSpec(
    name="sandbox",
    summary="An embedded Snowflake-compatible engine in a local folder: no account, no network.",
    params=SandboxParams,
    open=open_sandbox,
    identity=identity,
    lacks={"gpu": "the sandbox computes in this process, on the CPU"},
    modules=("duckdb", "sqlglot", "pyarrow", "snowflake.snowpark"),
    extra="sandbox",
)


@hookimpl
def firnline_platforms() -> tuple[PlatformSpec, ...]:
    """Offer the sandbox."""
    return (SANDBOX,)
