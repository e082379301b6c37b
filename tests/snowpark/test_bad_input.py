"""What users bring that cannot work is answered with what is wrong, where, and what to do; what can work, works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from firnline.errors import DataError, UsageError
from tests.snowpark.churn_world import World

ROOT = Path(__file__).parents[2]
ROWS = 60


def learn(world: World, path: Path | str, target: str = "kind") -> Any:
    """Go from a file to a model."""
    loaded = world.run("ingest.files", {"path": str(path)})["table"]
    found = world.run("prepare.tabular", {"target": target}, table=loaded)
    sets = world.run("split.random", {"seed": 1}, table=found["table"])
    model = world.run("train.logistic", train=sets["train"], profile=found["profile"])["model"]
    return {"model": model, "profile": found["profile"].load(), "report": found["report"]}


def frame(**columns: Any) -> pd.DataFrame:
    """Return a table of which one can learn, with further columns."""
    kinds = ["a" if number % 3 else "b" for number in range(ROWS)]
    return pd.DataFrame({"size": [number / 7 for number in range(ROWS)], "kind": kinds, **columns})


def csv(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def half_a_parquet(folder: Path) -> Path:
    path = folder / "rows.parquet"
    frame().to_parquet(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def workbook(folder: Path) -> Path:
    path = folder / "rows.xlsx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "empty": (lambda at: csv(at, ""), r"rows\.csv is empty \(0 bytes\)", "written to the end"),
    "header only": (lambda at: csv(at, "size,kind\n"), "no rows", "rows"),
    "one class": (
        lambda at: csv(at, frame().assign(kind="a").to_csv(index=False)),
        "the target 'kind' has one value only, 'a', in all 60 rows",
        "two kinds",
    ),
    "target all NULL": (
        lambda at: csv(at, frame().assign(kind="").to_csv(index=False)),
        "the target 'kind' has no value in any of 60 rows",
        "right column",
    ),
    "target missing": (
        lambda at: csv(at, frame().rename(columns={"kind": "kinds"}).to_csv(index=False)),
        "column 'kind' is not in the table",
        "did you mean 'KINDS'",
    ),
    "duplicate names": (lambda at: csv(at, "kind,x,kind\na,1,b\n"), r"'kind' \(columns 1, 3\)", "rename"),
    "not UTF-8": (lambda at: csv(at, "größe,kind\n1,a\n".encode("latin-1")), "utf-8", "encoding"),
    "half a Parquet file": (half_a_parquet, r"rows\.parquet", "cut off|again"),
    "a workbook": (workbook, r"rows\.xlsx is a workbook", "as CSV"),
    "text called Parquet": (lambda at: csv(at, "a,b\n1,2\n", "rows.parquet"), r"rows\.parquet", "format=csv"),
    "only a target": (lambda at: csv(at, frame()[["kind"]].to_csv(index=False)), "no column is left", "features"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_reason_and_a_hint(world: World, tmp_path: Path, case: str) -> None:
    make, message, hint = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        learn(world, make(tmp_path))
    assert caught.value.hint is not None
    assert re.search(hint, caught.value.hint), caught.value.hint


def test_no_file_and_a_folder(world: World, tmp_path: Path) -> None:
    csv(tmp_path, "a", "customers.csv")
    with pytest.raises(UsageError, match="there is no file") as caught:
        learn(world, tmp_path / "custmers.csv")
    assert "did you mean" in str(caught.value.hint)
    with pytest.raises(UsageError, match="is a folder, not a file"):
        learn(world, tmp_path)


def test_an_all_null_column_is_set_aside(world: World, tmp_path: Path) -> None:
    found = learn(world, csv(tmp_path, frame(empty=[None] * ROWS).to_csv(index=False)))
    [column] = [column for column in found["profile"].columns if column.name == "empty"]
    assert (column.role, column.note) == ("set aside", "every value is NULL")
    assert found["model"].features == ("size",)


def test_hard_names_go_all_the_way(world: World, tmp_path: Path) -> None:
    names = ["select", "größe", "数量", 'say "hi"', "it's", "a.b", "$x$", "DROP TABLE x; --"]
    path = tmp_path / "rows.parquet"
    frame(**{name: [(number * place) % 11 for number in range(ROWS)] for place, name in enumerate(names, 2)}).rename(
        columns={"kind": "group by"}
    ).to_parquet(path)
    model = learn(world, path, "group by")["model"]
    assert model.target == "group by"
    assert model.features == ("size", *names)


LARGE = """
import resource, sys
from pathlib import Path
import firnline_sandbox
from tests.snowpark.churn_world import World

folder = Path(sys.argv[1])
with (folder / "rows.csv").open("w") as file:
    file.write("size,kind,story\\n")
    for number in range(20_000):
        file.write(f"{number / 7},{'a' if number % 3 else 'b'},{number}" + "words " * 1_700 + "\\n")
assert (folder / "rows.csv").stat().st_size > 200_000_000
world = World(firnline_sandbox.session(str(folder / "sandbox")), folder)
world.run("split.random", table=world.table("A INT", *map(str, range(50))))  # everything is imported
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loaded = world.run("ingest.files", {"path": str(folder / "rows.csv")})["table"]
found = world.run("prepare.tabular", {"target": "kind"}, table=loaded)
[story] = [column for column in found["profile"].load().columns if column.name == "story"]
print(story.role, story.note)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_text_column_of_200_mb_needs_bounded_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LARGE, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    what, megabytes = done.stdout.splitlines()[-2:]
    assert what.startswith("set aside free text, 10,2")
    assert int(megabytes) < 900
