"""What must be known of a model version: from which data and code it came, how good it is, who made it and where.

The registry keeps numbers by name, and anything else that JSON can write: these facts stand among the metrics, under
one name.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from importlib import metadata
from platform import python_version
from typing import TYPE_CHECKING, Any, Final

from firnline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from snowflake.ml.model import ModelVersion

    from firnline.domain import Metrics, Model, StepContext, Task

NAME: Final = "firnline"
"""The metric under which the registry keeps the facts."""
MANDATORY: Final = (
    "data_version",
    "feature_version",
    "metrics",
    "params",
    "run_id",
    "code",
    "environment",
    "owner",
)
IDENTITY: Final = ("key", "data_version", "feature_version")
"""Facts that two registrations of the same version must agree in."""
GIT_TIMEOUT_S: Final = 5
DOLLAR_WRITTEN: Final = r"\\u0024"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """The metadata of a model version.

    Attributes:
        key: content key of the registering stage: the same key is the same version.
        pipeline: the pipeline that made it.
        run_id: the run that made it.
        owner: user and role that registered it.
        data_version: content key of the training rows.
        feature_version: content key of what the feature pipeline made.
        model_version: content key of the training: code, params and inputs.
        metrics: how good it is on held-out rows.
        params: how it was trained.
        code: what it was made by: Firnline's version, the project's git commit.
        environment: versions of Python and of the libraries that the model needs.
        task: ``binary``, ``multiclass`` or ``regression``.
        target: the column that it predicts.
        classes: the labels, in the order of the codes that it predicts.
        features: its input columns in order.
    """

    key: str
    pipeline: str
    run_id: str
    owner: str
    data_version: str
    feature_version: str
    model_version: str
    metrics: dict[str, float]
    params: dict[str, Any]
    code: dict[str, str]
    environment: dict[str, str]
    task: Task
    target: str
    classes: tuple[Any, ...]
    features: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data, without dollar signs: the client puts it between ``$$`` and ``$$``."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)).replace("$", DOLLAR_WRITTEN))
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> VersionFacts:
        """Rebuild what :meth:`to_json` returned; what a later version of Firnline has added is left out."""
        data = json.loads(json.dumps(data).replace(DOLLAR_WRITTEN, "$"))
        known = {name: data[name] for name in VersionFacts.__dataclass_fields__}
        return VersionFacts(**{**known, "classes": tuple(known["classes"]), "features": tuple(known["features"])})


def facts_of(version: ModelVersion, stage: str) -> VersionFacts:
    """Return what is known of a version.

    Raises:
        DataError: it was not registered by ``register.model``.
    """
    shown = version.show_metrics()
    if NAME not in shown:
        raise DataError(
            f"stage {stage}: {version.fully_qualified_model_name} version {version.version_name} does not say "
            "what it predicts from what",
            hint="register it with the step register.model",
        )
    return VersionFacts.from_json(shown[NAME])


def gather(
    context: StepContext, model: Model, metrics: Metrics, *, owner: str, requirements: Iterable[str]
) -> VersionFacts:
    """Collect the facts of a version.

    Args:
        context: of the registering stage.
        model: what is registered.
        metrics: of the evaluation.
        owner: user and role.
        requirements: what the model needs, as pip writes it.

    Raises:
        DataError: a mandatory one is missing.
    """
    keys = context.input_keys
    facts = VersionFacts(
        key=context.key,
        pipeline=context.pipeline,
        run_id=context.run_id,
        owner=owner,
        data_version=keys.get("data", ""),
        feature_version=keys.get("features", ""),
        model_version=keys.get("model", ""),
        metrics=dict(metrics.values),
        params=dict(model.params) or estimator_params(model),
        code={"model": keys.get("model", ""), "firnline": metadata.version("firnline"), **_git(context.project)},
        environment={"python": python_version(), **dict(_split(text) for text in requirements)},
        task=model.task,
        target=model.target,
        classes=model.classes,
        features=model.features,
    )
    refuse_incomplete(facts, context.stage)
    return facts


def refuse_incomplete(facts: VersionFacts, stage: str) -> None:
    """Refuse a version whose origin or quality is not known.

    Raises:
        DataError: naming all that is missing.
    """
    missing = [name for name in MANDATORY if not getattr(facts, name)]
    if "" in facts.code.values():
        missing.append("code")
    if missing:
        raise DataError(
            f"stage {stage}: a model is not registered without {', '.join(dict.fromkeys(missing))}",
            hint="connect `metrics` to an evaluation, `data` to the training rows and `features` to the feature table; "
            "params come from the model artifact or from the estimator's get_params()",
        )


def estimator_params(model: Model) -> dict[str, Any]:
    """Return the settings of the last estimator that JSON can write; none for what is no scikit-learn estimator."""
    estimator = model.load()
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    if not hasattr(last, "get_params"):
        return {}
    return {name: value for name, value in last.get_params(deep=False).items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bool | int) or (isinstance(value, float) and value == value)


def _split(requirement: str) -> tuple[str, str]:
    name, _, version = requirement.partition("==")
    return name, version


def _git(project: Path) -> dict[str, str]:
    """Return the project's commit, marked where files differ from it; nothing outside of a repository."""
    commit = _run_git(project, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changed = _run_git(project, "status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit, "git_dirty": "unknown" if changed is None else "yes" if changed else "no"}


def _run_git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 (constant arguments)
            ["git", "-C", str(project), *arguments],  # noqa: S607 (the user's git)
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # no git, or a repository too large to be asked
    return done.stdout.strip() if done.returncode == 0 else None
