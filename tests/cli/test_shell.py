"""What a shell sees: completion in a real bash, help, errors word for word, and option files that plugins ship."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

# Calls the function that the completion script installs, as bash does when TAB is pressed.
PRESS_TAB = """
eval "$(firnline -sc install=bash)"
COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=($COMP_LINE); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[ "${COMP_LINE: -1}" = " " ] && COMP_CWORD=$((COMP_CWORD + 1))
hydra_bash_completion
echo "${COMPREPLY[@]}"
"""


def complete(line: str) -> list[str]:
    """Press TAB at the end of a command line in bash."""
    done = subprocess.run(
        ["bash", "-c", PRESS_TAB, "bash", line],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("firnline run left=", ["left=ten", "left=twenty"]),
        ("firnline plan left=tw", ["left=twenty"]),
        ("firnline run left.params.", ["left.params.plus="]),
        ("firnline run start.params.value=3 left=te", ["left=ten"]),
        ("firnline run hydra/launcher=b", ["hydra/launcher=basic"]),
        ("firnline pl", ["plan", "plugins"]),
    ],
)
def test_tab_completes(project: Path, line: str, offered: list[str]) -> None:
    assert complete(line) == offered


def test_completion_can_be_installed_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, firnline: Run) -> None:
    monkeypatch.chdir(tmp_path)
    for shell, word in (("bash", "complete -o"), ("zsh", "complete -o"), ("fish", "complete -c firnline")):
        code, out, err = firnline("-sc", f"install={shell}")
        assert (code, err) == (0, "")
        assert word in out
    monkeypatch.setenv("COMP_LINE", "firnline run le")
    assert firnline("-sc", "query=bash") == (0, "", "")
    code, _, err = firnline("-sc", "install=tcsh")
    assert code == 2
    assert "No completion plugin for 'tcsh'" in err
    assert "install=bash" in err


HELP = """\
Usage: firnline [OPTIONS] COMMAND [ARGS]...

  Firnline: pipelines from config files, steps from plugins, on Snowflake or on your laptop.

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  run         Run a pipeline; with -m, many of them.
  plan        Show what a run would do, and why.
  runs        List, show, compare, resume and save runs.
  sweep       List, show and resume multiruns.
  lineage     Show what an artifact was made from, and what from it.
  steps       Show the steps that installed plugins offer.
  plugins     Show the installed plugins and whether they are healthy.
  schema      Write a JSON Schema of the configuration, for editors.
  init        Start a project in the current folder.
  new-plugin  Start a distribution with a plugin of your own.
"""


def test_help_word_for_word(firnline: Run) -> None:
    assert firnline("--help")[:2] == (0, HELP)


PROBLEMS = """\
✗ 4 problems in the configuration; nothing ran.

left

1. left
   there is no option 'tne'
     value     tne
     from      the command line (left=tne)
     expected  one of ten, twenty
     nearest   ten
     hint      add conf/left/tne.yaml, or install the plugin that brings it

2. left.params.pluss
   there is no param 'pluss'
     value     3
     from      the command line (left.params.pluss=3)
     expected  one of mode, plus, sleep_s
     nearest   plus

start

3. start.params.value
   input should be less than or equal to 1000
     value     2000
     from      the command line (start.params.value=2000)
     expected  int, >= 0 and <= 1000

end

4. end.inputs.numbers
   there is no stage 'lfet'
     value     lfet
     from      conf/config.yaml:14
     expected  STAGE.PORT of one of left, start, end
     nearest   left
"""


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_problems_word_for_word(firnline: Run, project: Path, verb: str) -> None:
    config = project / "conf" / "config.yaml"
    config.write_text(config.read_text().replace("    - left\n", "    - lfet\n"))
    code, out, err = firnline(verb, "left=tne", "left.params.pluss=3", "start.params.value=2000")
    assert (code, out) == (2, "")
    assert "\n".join(line.rstrip() for line in err.splitlines()) == PROBLEMS.rstrip()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--no-cahce"], "did you mean --no-cache?"),
        (["-m", "--mutirun"], "did you mean --multirun?"),
        (["--cfg", "jbo"], "it takes job, hydra, all"),
    ],
)
def test_a_misspelt_flag_is_answered(firnline: Run, arguments: list[str], hint: str) -> None:
    code, out, err = firnline("run", *arguments)
    assert (code, out) == (2, "")
    assert hint in err


def test_resolve_needs_cfg(firnline: Run) -> None:
    code, _, err = firnline("run", "--resolve")
    assert code == 2
    assert "can only be used in conjunction with --cfg" in err


def test_flags_may_stand_between_overrides(firnline: Run) -> None:
    code, out, _ = firnline("run", "left=twenty", "--cfg", "job", "start.params.value=3")
    assert code == 0
    assert "plus: 20" in out
    assert "value: 3" in out
    code, out, _ = firnline("run", "start.params.value=1,2", "-m", "left=ten", "sweep.direction=minimize")
    assert code == 0
    assert "lower is better" in out


def ship(site: Path, name: str, option: str) -> None:
    """Install the metadata of a distribution that ships an option file in a package that cannot be imported."""
    info = site / f"{name}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[firnline.conf]\ntoy-{name} = {name}_conf\n")
    folder = site / f"{name}_conf" / "left"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('finding an option must not import its package')\n")
    (folder / f"{option}.yaml").write_text("uses: toy.add\ninputs: {left: start}\nparams: {plus: 100}\n")


def test_plugins_ship_option_files(firnline: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRNLINE_PLUGINS_ALLOW", "toy*")
    ship(site, "one", "hundred")
    code, out, err = firnline("run", "left=hundred")
    assert code == 0, err
    assert "101" in out
    assert "left=hundred" in firnline("steps", "toy.add")[1]
    assert "one 0.1" in firnline("run", "--info", "searchpath")[1]


def test_an_option_with_two_providers_is_reported(
    firnline: Run, site: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRNLINE_PLUGINS_ALLOW", "toy*")
    ship(site, "one", "hundred")
    ship(site, "two", "hundred")
    code, _, err = firnline("plan", "left=hundred", "start.params.valeu=1")
    assert code == 2
    assert "option 'hundred' is brought by one 0.1 and by two 0.1" in err
    assert "the command line (left=hundred)" in err
    assert "start.params.valeu" in err
    assert firnline("plan", "left=ten")[0] == 0
    # A project may decide.
    (project / "conf" / "left" / "hundred.yaml").write_text("uses: toy.add\ninputs: {left: start}\n")
    assert firnline("plan", "left=hundred")[0] == 0


def test_init_makes_a_project_that_composes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, firnline: Run) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("FIRNLINE_PLUGINS_ALLOW")
    code, _, err = firnline("plan")
    assert code == 2
    assert "firnline init" in err
    assert firnline("init")[0] == 0
    code, out, err = firnline("run", "--cfg", "job")
    assert code == 0, err
    assert "uses: train.xgboost" in out
    code, _, err = firnline("init")
    assert code == 2
    assert "nothing was changed" in err
