"""How a model is packaged: the signatures of its functions, and what must be installed where it runs."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any, Final

from firnline_snowpark.calls import PREDICT, PREDICT_PROBA, PREDICTION, probability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline.domain import Model, Task
    from firnline_snowpark.rows import Kind

PLAIN_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
PIP_NAMES: Final = {"sklearn": "scikit-learn"}


def signatures(model: Model, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the signature of each function: every input may be missing, numbers are DOUBLE, categories STRING.

    They are told, not inferred from sample rows, in which a column may happen to be empty.
    """
    from snowflake.ml.model.model_signature import DataType, FeatureSpec, ModelSignature

    inputs = [
        FeatureSpec(name=name, dtype=DataType.STRING if kinds[name] == "text" else DataType.DOUBLE, nullable=True)
        for name in model.features
    ]
    predicted = DataType.DOUBLE if model.task == "regression" else DataType.INT64
    found = {PREDICT: ModelSignature(inputs=inputs, outputs=[FeatureSpec(name=PREDICTION, dtype=predicted)])}
    if model.task != "regression":
        outputs = [FeatureSpec(name=probability(code), dtype=DataType.DOUBLE) for code in range(len(model.classes))]
        found[PREDICT_PROBA] = ModelSignature(inputs=inputs, outputs=outputs)
    return found


def needs_quotes(features: tuple[str, ...]) -> bool:
    """Tell whether the names are not all told apart as identifiers without quotes."""
    plain = all(PLAIN_IDENTIFIER.fullmatch(name) for name in features)
    return not plain or len({name.upper() for name in features}) < len(features)


def requirements(model: Model) -> list[str]:
    """Return the libraries that unpickle and run the model, at the versions that fitted it, as pip writes them."""
    modules = dict.fromkeys(("numpy", "pandas", "sklearn", model.framework))
    versions = {name: str(importlib.import_module(name).__version__) for name in modules}
    # What stands after a plus tells builds of one version apart (torch's for CPUs, say); the model's place has its own.
    return [f"{PIP_NAMES.get(name, name)}=={version.partition('+')[0]}" for name, version in versions.items()]


def registry_task(task: Task) -> Any:
    """Return the registry's word for the task."""
    from snowflake.ml.model.task import Task as RegistryTask

    return {
        "binary": RegistryTask.TABULAR_BINARY_CLASSIFICATION,
        "multiclass": RegistryTask.TABULAR_MULTI_CLASSIFICATION,
        "regression": RegistryTask.TABULAR_REGRESSION,
    }[task]
