"""A model as MLflow keeps models: a folder that ``mlflow.sklearn.load_model`` reads."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from firnline.domain import Model

_SKLEARN_LIKE: Final = frozenset({"sklearn", "xgboost", "lightgbm"})
_PIP_NAMES: Final = {"sklearn": "scikit-learn"}


def write_model(model: Model, folder: Path) -> None:
    """Write a model into a folder that does not exist yet: pipelines in MLflow's format, others as their pickle."""
    if model.framework not in _SKLEARN_LIKE:
        folder.mkdir()
        shutil.copy2(model.path, folder)
        return
    import mlflow.sklearn

    names = dict.fromkeys(("sklearn", "pandas", "numpy", model.framework))
    versions: dict[str, Any] = {name: import_module(name).__version__ for name in names}
    mlflow.sklearn.save_model(
        model.load(),
        str(folder),
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_PICKLE,
        # Told, for to find them out MLflow would start a process that loads the model.
        pip_requirements=[f"{_PIP_NAMES.get(name, name)}=={text}" for name, text in versions.items()],
        metadata={"target": model.target, "task": model.task, "classes": [str(label) for label in model.classes]},
    )
