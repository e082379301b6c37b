"""From raw tables to the split, the work is done where the rows are: the client sees counts, not rows."""

from __future__ import annotations

from typing import Any

from tests.snowpark.churn_options import option_params
from tests.snowpark.churn_world import PORTS, World
from tests.snowpark.fetched import count_fetched


def test_rows_stay_on_the_platform(world: World, raw: Any) -> None:
    with count_fetched() as fetched:
        clean = world.run("prepare.clean", option_params("prepare/clean.yaml"), **raw)
        tables = {port: clean[port] for port in PORTS}
        checked = world.run("check.expect", option_params("check/expect.yaml"), **tables)
        features = world.run(
            "features.churn",
            {"snapshots": 6, "window_days": [7, 30, 90], "horizon_days": 30},
            **{port: checked[port] for port in PORTS},
        )["table"]
        split = {"date_column": "SNAPSHOT_ON", "gap_days": 30}
        sets = world.run("split.time", split, table=features)
    assert raw["events"].rows > 19_000
    assert sum(sets[name].rows for name in ("train", "valid", "test")) > 2_000
    assert fetched.rows < 250
