"""Results that are larger than what anybody wants in memory.

``python tests/sandbox/server/test_large_results.py in-process 100000000 pandas FOLDER`` measures one case at full size.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import firnline_sandbox
from firnline_sandbox.server import control

ROWS = 20_000_000
LEAST_MIB = 150  # of the result if it were held whole: two columns of eight bytes
QUERY = "select seq8() as a, seq8() * 0.5::float as b from table(generator(rowcount => {rows}))"


def read(way: str, rows: int, form: str, folder: Path) -> dict[str, int]:
    """Read all rows in batches; tell the memory that this process took at most, over what it took before."""
    from snowflake.snowpark import Session

    if way == "connector":
        known = control.start(folder).endpoint
        options = {"user": "u", "password": known.token, "account": "sandbox", "host": "127.0.0.1"}
        session = Session.builder.configs(options | {"port": known.port, "protocol": "http"}).create()
    else:
        session = firnline_sandbox.session(folder)
    frame = session.sql(QUERY.format(rows=rows))
    for batch in session.sql(QUERY.format(rows=1_500_000)).to_pandas_batches():
        del batch
    before = _peak_mib()
    count = total = 0
    batches = frame.to_pandas_batches() if form == "pandas" else frame.to_arrow_batches()
    for batch in batches:
        count += len(batch)
        total += int(batch["A"].sum()) if form == "pandas" else sum(batch.column("A").to_pylist()[:1])
    after = _peak_mib()
    session.close()
    return {"rows": count, "total": total, "before_mib": before, "after_mib": after}


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pandas", "arrow"])
@pytest.mark.parametrize("way", ["in-process", "connector", "other-process"])
def test_memory_does_not_grow_with_the_result(tmp_path: Path, way: str, form: str) -> None:
    folder = tmp_path / "sandbox"
    holder = firnline_sandbox.connect(folder) if way == "other-process" else None
    try:
        done = subprocess.run(
            [sys.executable, __file__, way, str(ROWS), form, str(folder)], capture_output=True, text=True, timeout=280
        )
        assert done.returncode == 0, done.stderr
        measured = json.loads(done.stdout)
        assert measured["rows"] == ROWS
        if form == "pandas":
            assert measured["total"] == ROWS * (ROWS - 1) // 2
        assert measured["after_mib"] - measured["before_mib"] < LEAST_MIB
    finally:
        if holder is not None:
            holder.close()
        if way == "connector":
            control.stop(folder)


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))))
