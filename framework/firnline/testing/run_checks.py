"""Checks that run a step on its author's case. Each one raises an AssertionError that says what to change."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

from firnline.domain import Artifact, Metrics, StepContext, artifact_from_json, artifact_to_json
from firnline.testing.cases import Case
from firnline.testing.rehearsal import Doors, InjectedFailureError, Rehearsal


def outputs_match_ports(rehearsal: Rehearsal, case: Case) -> None:
    """Return exactly the declared outputs, each of its declared kind; metrics are finite numbers."""
    outputs = rehearsal.run(rehearsal.context())
    declared = rehearsal.step.outputs
    assert set(outputs) == set(declared), f"it declares {sorted(declared)} and returned {sorted(outputs)}"
    for name, artifact in outputs.items():
        kind = declared[name].kind
        assert isinstance(artifact, kind), f"output {name!r} is a {type(artifact).__name__}, not a {kind.__name__}"
        if isinstance(artifact, Metrics):
            odd = [metric for metric, value in artifact.values.items() if not math.isfinite(value)]
            assert not odd, f"no finite number: {', '.join(odd)}"


def outputs_survive_json(rehearsal: Rehearsal, case: Case) -> None:
    """Return artifacts that come back equal from the record; files lie in the attempt's own folder."""
    context = rehearsal.context()
    for name, artifact in rehearsal.run(context).items():
        path = getattr(artifact, "path", None)
        if path is not None:
            assert Path(path).is_relative_to(context.directory), f"output {name!r}: {path} is not in context.directory"
            assert Path(path).exists(), f"output {name!r}: {path} does not exist"
        again = artifact_from_json(artifact_to_json(artifact, context.directory), context.directory)
        assert again == artifact, f"output {name!r}: {artifact!r} came back as {again!r}"


def same_inputs_give_same_metrics(rehearsal: Rehearsal, case: Case) -> None:
    """Give the same metrics again: a reusable step is a function of its inputs (seed what is random)."""
    first, second = (_metrics(rehearsal.run(rehearsal.context())) for _ in range(2))
    assert first == second, f"first {first}, then {second}; or say reusable=False"


def failure_leaves_nothing_visible(rehearsal: Rehearsal, case: Case) -> None:
    """When it fails half way, let the error out, and leave nothing but files and tables of the attempt."""
    watched = Doors()
    rehearsal.run(rehearsal.context(watched))
    first_middle_last = {1, (watched.calls + 1) // 2, watched.calls} if watched.calls else set()
    for call in sorted(first_middle_last):
        aimed, reached = call, _fail_at(rehearsal, call)
        # A step that tells its progress by the clock makes fewer calls when it is faster: then its last one fails.
        while 0 < reached < aimed:
            aimed, reached = reached, _fail_at(rehearsal, reached)


def _fail_at(rehearsal: Rehearsal, call: int) -> int:
    """Let a call of the context fail and look at what is left; return how many calls there were up to it."""
    before = _visible(rehearsal, None)
    doors = Doors(fail_at=call)
    context = rehearsal.context(doors)
    try:
        outputs = rehearsal.run(context)
    except Exception as error:
        if doors.calls < call:
            raise
        assert _comes_from(error), f"call {call} failed; the step raised {error!r} and lost the cause"
    else:
        lost = doors.calls >= call
        assert not lost, f"call {call} failed, and the step returned {sorted(outputs)} as if nothing had been"
        return doors.calls
    after = _visible(rehearsal, context)
    changed = [name for name in after if after[name] != before.get(name)]
    assert not changed, f"after a failure others can see: {', '.join(sorted(changed))}"
    return call


def step_can_be_cancelled(rehearsal: Rehearsal, case: Case) -> None:
    """End soon when it is told to stop (`context.is_cancelled()`), by returning or by raising."""
    ended = threading.Event()

    def work() -> None:
        try:
            rehearsal.run(rehearsal.context(is_cancelled=lambda: True))
        except Exception:  # noqa: BLE001, S110 (ending is all that counts here)
            pass
        finally:
            ended.set()

    threading.Thread(target=work, name="firnline conformance", daemon=True).start()
    assert ended.wait(case.cancel_within_s), f"still running {case.cancel_within_s:g} s after it was told to stop"


def source_state_is_stable(rehearsal: Rehearsal, case: Case) -> None:
    """Tell the same state twice while nothing changes: otherwise nothing after the source is ever reused."""
    first, second = rehearsal.source_state(), rehearsal.source_state()
    assert isinstance(first, str), f"the state is a {type(first).__name__}, not a text"
    assert first == second, f"first {first!r}, then {second!r}"


def _metrics(outputs: dict[str, Artifact]) -> dict[str, Any]:
    return {name: dict(artifact.values) for name, artifact in outputs.items() if isinstance(artifact, Metrics)}


def _comes_from(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, InjectedFailureError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _visible(rehearsal: Rehearsal, context: StepContext | None) -> dict[str, str]:
    """Return what others can see, with its state: files of the project, and tables but those of the attempt."""
    project = rehearsal.project
    files = [path.relative_to(project) for path in project.rglob("*") if path.is_file()]
    seen = {str(file): str((project / file).stat().st_mtime_ns) for file in files if not _is_platforms_own(file)}
    platform = rehearsal.platform
    if platform is None:
        return seen
    session = platform.session("firnline conformance")
    try:
        rows = session.sql(f"SHOW TABLES IN SCHEMA {platform.schema()}").collect()
    finally:
        session.close()
    names = [str(row["name"]) for row in rows]
    others = [name for name in names if context is None or context.attempt.upper() not in name.upper()]
    return seen | {name: platform.table_state(f"{platform.schema()}.{_quoted(name)}") for name in others}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_platforms_own(path: Path) -> bool:
    return path.parts[0] == ".firnline"
