"""The peers' harness runs Firnline through this: see its peers/README.md for what each name means."""

import subprocess

VARIANTS = ["pickle"]
FLOOR = {"pickle": "pickle"}


def prepare(folder, variant, env):
    """Write the pipelines; untimed."""
    subprocess.run(["python3", "write_pipelines.py"], cwd=folder, check=True, env=env)


def commands(variant):
    """Return the shell command of each workload."""
    run = "firnline run -q pipeline="
    return {
        "W1h": "firnline --help",
        "W1l": "firnline steps",
        "W2": f"{run}w2",
        "W3": f"{run}w3",
        "W4": [f"{run}w2"] * 2,
        "W5": f"{run}w5 executor.workers=8",
        "W6": "firnline run -q -m pipeline=w6 'scaled.params.alpha=range(1,21)'",
        "W7": [f"{run}w7"] * 2,
        "W8": f"{run}w8",
        "reset": "rm -rf .firnline",
    }
