"""A pytest plugin for Snowpark's own suites: every connection that they open is one to the sandbox.

It runs inside of their process, with their ``conftest.py`` untouched. It gives them the module of connection
parameters that their repository does not contain, puts the sandbox in the place of the connector's ``connect``, and
writes one JSON line for each test.
"""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

PARAMETERS = {
    "account": "SANDBOX",
    "user": "SANDBOX",
    "password": "none",
    "database": "SNOWPARK",
    "schema": "PUBLIC",
    "role": "ACCOUNTADMIN",
    "warehouse": "SANDBOX",
}
_SESSION_OPTIONS = (
    "database",
    "schema",
    "warehouse",
    "role",
    "user",
    "account",
    "paramstyle",
    "session_parameters",
    "application",
)
# Switches for previews that only some accounts know.
_PREVIEWS = frozenset({"FEATURE_INTERVAL_TYPES"})


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Put the sandbox in the connector's place before Snowpark's conftest is imported."""
    import snowflake.connector
    from snowflake.snowpark._internal import server_connection

    from firnline_sandbox.engine import SandboxEngine

    engine = SandboxEngine.open()
    early_config.add_cleanup(engine.close)
    with engine.connect() as first:
        first.cursor().execute(f"CREATE DATABASE {PARAMETERS['database']}")
        first.cursor().execute(f"CREATE WAREHOUSE {PARAMETERS['warehouse']}")

    def connect(**given: Any) -> Any:
        options = {"schema": None, "database": None, **{key.lower(): value for key, value in given.items()}}
        options["session_parameters"] = {
            "TIMEZONE": "America/Los_Angeles",  # an account's default, which their expectations take for granted
            **{
                name: value
                for name, value in (options.get("session_parameters") or {}).items()
                if name.upper() not in _PREVIEWS
            },
        }
        return engine.connect(**{key: options[key] for key in _SESSION_OPTIONS if key in options})

    snowflake.connector.connect = connect
    server_connection.connect = connect
    parameters = types.ModuleType("tests.parameters")
    parameters.CONNECTION_PARAMETERS = dict(PARAMETERS)
    sys.modules["tests.parameters"] = parameters
    # Their conftest loads this suite as a plugin; it wants the package snowflake.core, and none of the suites uses it.
    sys.modules["tests.integ.test_catalog"] = types.ModuleType("tests.integ.test_catalog")


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Any:
    """Leave out the schema of a CI job, its grants and its artifact repository: nothing reads them outside of CI."""
    if fixturedef.argname != "test_schema":
        return None
    fixturedef.cached_result = (None, fixturedef.cache_key(request), None)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Any:
    """Keep the failure's first line beside the report."""
    outcome = yield
    report = outcome.get_result()
    if call.excinfo is not None and not report.passed:
        report.reason = f"{call.excinfo.typename}: {call.excinfo.value}"[:2000]


class _Outcomes:
    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the outcome of a test's body, or of the set-up that kept it from running."""
        if report.when != "call" and report.passed:
            return
        if report.when == "teardown":
            return
        outcome = "passed" if report.passed else "skipped" if report.skipped else "failed"
        line = {"test": report.nodeid, "outcome": outcome, "reason": getattr(report, "reason", "")}
        line["seconds"] = round(report.duration, 3)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Open the file of outcomes."""
    session.config.pluginmanager.register(_Outcomes(Path(os.environ["SNOWPARK_SUITES_OUTCOMES"])))
