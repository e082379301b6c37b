"""CREATE, ALTER and DROP EXPERIMENT."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import already_exists, error, invalid_argument, missing_object
from firnline_sandbox.experiments import points
from firnline_sandbox.experiments.lookup import experiment_for, find_experiment, run_folder
from firnline_sandbox.experiments.objects import Experiment, Run
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import entry_fields, read_creation
from firnline_sandbox.statements.registry import statement

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

DONE: Final = "Statement executed successfully."
LAST_STATUSES: Final = ("FINISHED", "FAILED")


@statement("CREATE EXPERIMENT")
def create_experiment(context: Context, sql: str) -> Result:
    """``CREATE [OR REPLACE] EXPERIMENT [IF NOT EXISTS] e``."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "EXPERIMENT")
    scanner.expect_end()
    names = context.qualify(creation.parts)
    existing = find_experiment(context, names)
    if existing is not None:
        if creation.if_not_exists:
            return Result.status(f"{names[2]} already exists, statement succeeded.")
        if not creation.replace:
            raise already_exists(existing.full_name)
        _forget_experiment(context, existing)
    points.make_tables(context.duckdb)
    context.catalog.add(Experiment(**entry_fields(context, creation, names)))
    return Result.status(f"Experiment {names[2]} successfully created.")


@statement("DROP EXPERIMENT")
def drop_experiment(context: Context, sql: str) -> Result:
    """``DROP EXPERIMENT [IF EXISTS] e``."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "EXPERIMENT")
    if_exists = scanner.take("IF", "EXISTS")
    name = scanner.name()
    scanner.expect_end()
    experiment = find_experiment(context, name)
    if experiment is None:
        if not if_exists:
            raise missing_object("experiment", ".".join(context.qualify(name)))
        return Result.status("Drop statement executed successfully (object already dropped).")
    _forget_experiment(context, experiment)
    return Result.status(f"{experiment.name} successfully dropped.")


@statement("ALTER EXPERIMENT")
def alter_experiment(context: Context, sql: str) -> Result:
    """``ALTER EXPERIMENT e ADD | COMMIT | DROP | MODIFY RUN r ...``, and ``RENAME TO f``."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "EXPERIMENT")
    experiment = experiment_for(context, scanner.name())
    match scanner.take_any("ADD", "COMMIT", "DROP", "MODIFY", "RENAME"):
        case "ADD":
            _add_run(context, scanner, experiment)
        case "COMMIT":
            _commit_run(context, scanner, experiment)
        case "DROP":
            run = _run(scanner, experiment)
            scanner.expect_end()
            context.catalog.put(experiment.without_run(run))
            _forget_runs(context, (run,))
        case "MODIFY":
            _modify_run(context, scanner, experiment)
        case "RENAME":
            scanner.expect("TO")
            name = context.qualify(scanner.name())
            scanner.expect_end()
            context.catalog.rename(experiment, name)
        case _:
            raise scanner.unexpected()
    return Result.status(DONE)


def _run(scanner: Scanner, experiment: Experiment) -> Run:
    scanner.expect("RUN")
    return experiment.run(scanner.identifier())


def _add_run(context: Context, scanner: Scanner, experiment: Experiment) -> None:
    scanner.expect("RUN")
    name = scanner.identifier()
    source_info = None
    if scanner.take("WITH"):
        options = scanner.options_in_parentheses()
        source_info = str(options.pop("SOURCE_INFO")) if "SOURCE_INFO" in options else None
        if options:
            raise invalid_argument(f"unknown option {', '.join(options)} of a run")
        _check_json(source_info)
    scanner.expect_end()
    context.catalog.put(experiment.with_run(Run.new(name, source_info)))


def _check_json(text: str | None) -> None:
    try:
        json.loads(text or "{}")
    except ValueError as failure:
        raise error(100069, "22P02", f"Error parsing JSON: {failure}") from failure


def _commit_run(context: Context, scanner: Scanner, experiment: Experiment) -> None:
    run = _run(scanner, experiment)
    status = LAST_STATUSES[0]
    if scanner.take("WITH", "STATUS"):
        scanner.expect("=")
        status = scanner.text()
    scanner.expect_end()
    if status not in LAST_STATUSES:
        raise invalid_argument(f"invalid status '{status}' of a run; it is one of {', '.join(LAST_STATUSES)}")
    context.catalog.put(experiment.with_changed(run.closed(status)))


def _modify_run(context: Context, scanner: Scanner, experiment: Experiment) -> None:
    run = _run(scanner, experiment)
    scanner.expect("ADD")
    kind = scanner.take_any("METRICS", "PARAMETERS")
    if kind is None:
        raise scanner.unexpected()
    scanner.expect("=")
    text = scanner.text()
    scanner.expect_end()
    add = points.add_metrics if kind == "METRICS" else points.add_parameters
    add(context.duckdb, run.id, text)


def _forget_experiment(context: Context, experiment: Experiment) -> None:
    context.catalog.remove(experiment)
    _forget_runs(context, experiment.runs)


def _forget_runs(context: Context, runs: tuple[Run, ...]) -> None:
    points.forget(context.duckdb, [run.id for run in runs])
    folders = [run_folder(context, run) for run in runs]

    def remove() -> None:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    context.transaction.after_commit(remove)
