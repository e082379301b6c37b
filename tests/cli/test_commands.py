"""The command line as a user types it, on toy steps that are found through real metadata."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run


def last_run(project: Path) -> str:
    return max(path.name for path in (project / ".firnline" / "runs").iterdir())


def test_run_shows_progress_and_where_the_report_is(firnline: Run, project: Path) -> None:
    code, out, _ = firnline("run")
    assert code == 0
    assert "left" in out
    assert f".firnline/runs/{last_run(project)}/report.html" in out.replace("\n", "")
    assert "end.total" in (project / ".firnline" / "runs" / last_run(project) / "report.html").read_text()


def test_json_writes_events_and_nothing_else(firnline: Run) -> None:
    code, out, _ = firnline("run", "--json")
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert code == 0
    assert (events[0], events[-1]) == ("RunStarted", "RunFinished")


def test_quiet_says_nothing_when_all_is_well(firnline: Run) -> None:
    assert firnline("run", "--quiet")[:2] == (0, "")


def test_a_failure_gives_the_command_to_go_on(firnline: Run, project: Path) -> None:
    code, out, _ = firnline("run", "left.uses=toy.fail", "~left.params.plus", "left.params.how=data")
    assert code == 1
    assert "the data is odd" in out
    assert f"firnline runs resume {last_run(project)}" in out
    code, out, _ = firnline("runs", "resume", last_run(project))
    assert code == 1
    code, out, _ = firnline("run", "left.uses=toy.fail", "~left.params.plus", "left.params={how: data, times: 2}")
    assert code == 0


def test_quiet_shows_a_failure_once_and_how_to_go_on(firnline: Run, project: Path) -> None:
    code, out, err = firnline("run", "--quiet", "left.uses=toy.fail", "~left.params", "+left.params.how=data")
    assert code == 1
    assert (out + err).count("the data is odd") == 1
    assert "firnline runs resume" in err


def test_problems_are_listed_with_exit_code_2(firnline: Run) -> None:
    code, _, err = firnline("run", "lfet=ten", "start.params.valeu=3")
    assert code == 2
    assert "lfet" in err
    assert "left" in err
    code, _, err = firnline("run", "start.params.valeu=3", "left.params.pluss=3")
    assert code == 2
    assert "start.params.valeu" in err
    assert "left.params.pluss" in err
    code, out, _ = firnline("run", "--json", "start.params.valeu=3")
    assert code == 2
    assert json.loads(out)["problems"][0]["nearest"] == "value"


def test_plan_in_words_json_and_mermaid(firnline: Run) -> None:
    code, out, _ = firnline("plan")
    assert code == 0
    assert "it has not run yet" in out
    firnline("run", "--quiet")
    code, out, _ = firnline("plan", "left=twenty")
    assert "params changed since run" in out
    assert "plus 10 → 20" in out
    code, out, _ = firnline("plan", "--json")
    assert [stage["action"] for stage in json.loads(out)["stages"]] == ["reuse"] * 3
    code, out, _ = firnline("plan", "--mermaid")
    assert out.startswith("flowchart")


def test_runs_list_show_and_compare(firnline: Run, project: Path) -> None:
    assert firnline("runs", "list")[0] == 2
    firnline("run", "--quiet")
    first = last_run(project)
    firnline("run", "--quiet", "left=twenty")
    [second] = {path.name for path in (project / ".firnline" / "runs").iterdir()} - {first}
    code, out, _ = firnline("runs", "list")
    assert code == 0
    assert first in out
    assert second in out
    _, out, _ = firnline("runs", "show", first)
    assert "toy.add" in out
    code, out, _ = firnline("runs", "compare", first, second, "--only-differences")
    assert code == 0
    assert "left.plus" in out or "plus" in out
    assert "21" in out
    assert firnline("runs", "compare", first)[0] == 2
    assert firnline("runs", "show", "nothing")[0] == 2
    assert [json.loads(line)["pipeline"] for line in firnline("runs", "list", "--json")[1].splitlines()] == [
        "pipeline"
    ] * 2


def test_lineage_goes_both_ways(firnline: Run) -> None:
    firnline("run", "--quiet")
    _, out, _ = firnline("lineage", "left", "--json")
    found = json.loads(out)
    stages = {key: node["stage"] for key, node in found["nodes"].items()}
    assert [stages[key] for keys in found["upstream"].values() for key in keys] == ["start"]
    assert [stages[key] for keys in found["downstream"].values() for key in keys] == ["end"]
    _, out, _ = firnline("lineage", "left")
    assert "made from" in out
    assert "used for" in out
    assert firnline("lineage", "nobody")[0] == 2


def test_steps_and_plugins(firnline: Run) -> None:
    code, out, _ = firnline("steps")
    assert code == 0
    assert "toy.add" in out
    code, out, _ = firnline("steps", "toy.add")
    assert "left=ten" in out
    assert "what is added" in out
    code, _, err = firnline("steps", "toy.ad")
    assert code == 2
    assert "toy.add" in err
    code, out, _ = firnline("plugins")
    assert "firnline-toy 1.2.3" in out


def test_a_misspelt_verb_gets_the_nearest(firnline: Run) -> None:
    code, _, err = firnline("rnu")
    assert code == 2
    assert "'run'" in err


def test_schema_knows_the_params_of_steps(firnline: Run) -> None:
    code, out, _ = firnline("schema")
    assert code == 0
    params = json.loads(out)["$defs"]["step.toy.source"]["properties"]["params"]
    assert params["properties"]["value"]["anyOf"][0]["maximum"] == 1000


def test_hydra_s_own_questions_work(firnline: Run) -> None:
    code, out, _ = firnline("run", "--cfg", "job", "left=twenty")
    assert code == 0
    assert yaml.safe_load(out)["left"]["params"] == {"plus": 20}
    code, out, _ = firnline("run", "--info", "searchpath")
    assert "conf" in out
    assert firnline("run", "--no-such-option")[0] == 2


def test_a_run_composes_its_configuration_once(firnline: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    composed, compose = [], ConfigLoaderImpl._load_configuration_impl

    def counted(*arguments: object, **named: object) -> object:
        composed.append(1)
        return compose(*arguments, **named)

    monkeypatch.setattr(ConfigLoaderImpl, "_load_configuration_impl", counted)
    assert firnline("run", "--quiet", "left=twenty")[0] == 0
    assert len(composed) == 1


def test_a_file_may_ask_for_a_multirun(firnline: Run, project: Path) -> None:
    config = yaml.safe_load((project / "conf" / "config.yaml").read_text())
    (project / "conf" / "config.yaml").write_text(yaml.safe_dump(config | {"hydra": {"mode": "MULTIRUN"}}))
    assert firnline("run", "--quiet", "start.params.value=1,2")[0] == 0
    records = [json.loads(line) for line in firnline("runs", "list", "--json")[1].splitlines()]
    assert sorted(record["job"] for record in records) == [0, 1]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_multirun_fills_the_leaderboard(firnline: Run, project: Path, launcher: str) -> None:
    arguments = ["run", "-m", "left=ten,twenty", "start.params.value=1,2,3", f"hydra/launcher={launcher}"]
    code, out, err = firnline(*arguments)
    assert code == 0, out + err
    board = out[out.index("ranked by end.total") :]
    assert "23" in board
    [page] = (project / ".firnline" / "sweeps").rglob("sweep.html")
    text = page.read_text()
    for value in ("11", "12", "13", "21", "22", "23"):
        assert value in text
    records = [json.loads(line) for line in firnline("runs", "list", "--json")[1].splitlines()]
    assert sorted(record["job"] for record in records) == [0, 1, 2, 3, 4, 5]
    assert len({record["sweep_id"] for record in records}) == 1


def test_one_failed_job_does_not_stop_the_others(firnline: Run) -> None:
    fails = "{uses: toy.fail, inputs: {left: start}, params: {how: data}}"
    code, out, err = firnline("run", "-m", "left=ten", "start.params.value=1,2", f"+extra={fails}")
    assert code == 1
    assert "the data is odd" in out + err
    assert "2 jobs did not finish" in out[out.index("ranked by end.total") :]


def test_help_is_quick_and_imports_nothing_heavy(project: Path) -> None:
    for arguments in (["--help"], ["plan"], ["run", "--help"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "firnline", *arguments], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
        assert "click" in imported
        assert not imported & {
            "pandas",
            "numpy",
            "snowflake",
            "duckdb",
            "sqlglot",
            "pyarrow",
            "torch",
            "sklearn",
            "xgboost",
        }


def ran(out: str) -> list[str]:
    events = [json.loads(line) for line in out.splitlines()]
    return sorted(event["stage"] for event in events if event["event"] == "StageStarted")


def test_resume_keeps_to_what_the_run_was_asked_for(firnline: Run, project: Path) -> None:
    def stages(how: str) -> None:
        config = yaml.safe_load((project / "conf" / "config.yaml").read_text())
        config["extra"] = {"uses": "toy.fail", "params": {"how": how, "times": 0}, "inputs": {"left": "start"}}
        (project / "conf" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    calls = project / "calls.txt"
    stages("nothing")
    assert firnline("run", "--quiet")[0] == 0
    # `toy.fail` fails as often as its params say, counted by the calls that it noted.
    calls.write_text("")
    stages("data")
    assert firnline("run", "--quiet", "--only", "extra", "extra.params.times=1")[0] == 1
    code, out, _ = firnline("runs", "resume", "last", "--json")
    assert (code, ran(out)) == (0, ["extra"])

    calls.write_text("")
    code, out, _ = firnline("run", "--json", "--no-cache", "extra.params.times=1")
    assert (code, ran(out)) == (1, ["end", "extra", "left", "start"])
    # There is an output of `extra` from before; the run was to make it anew.
    code, out, _ = firnline("runs", "resume", "last", "--json")
    assert (code, ran(out)) == (0, ["extra"])
