"""The estimators of Snowpark ML that a stage may name, and the settings that each one takes.

Light: read while planning, so the signatures are taken from the libraries' source text; nothing is imported.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

Purpose: TypeAlias = Literal["classification", "regression"]

# Which columns are learned from is the step's own business; what a config cannot write, nobody's.
_COLUMNS: Final = frozenset(
    {
        "input_cols",
        "output_cols",
        "label_cols",
        "passthrough_cols",
        "drop_input_cols",
        "sample_weight_col",
        "self",
        "callbacks",
        "use_external_memory_version",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """A kind of model, by the classes of ``snowflake.ml.modeling`` that fit it.

    Attributes:
        module: of the classes, below ``snowflake.ml.modeling``.
        classifier: fits classes; None where it cannot.
        regressor: fits amounts; None where it cannot.
        library: import name of the library behind it.
        takes_gaps: whether missing numbers may stay missing, and need no scale.
        unnamed: further settings, which no signature names.
        wrapped: module and class in the library that hold the settings which Snowpark ML hands through unnamed.
    """

    module: str
    classifier: str | None = None
    regressor: str | None = None
    library: str = "sklearn"
    takes_gaps: bool = False
    unnamed: frozenset[str] = frozenset()
    wrapped: tuple[str, str] | None = None

    def class_for(self, purpose: Purpose) -> str | None:
        """Return the class's name; None if there is none for that."""
        return self.classifier if purpose == "classification" else self.regressor

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that there are."""
        return tuple(name for name in (self.classifier, self.regressor) if name is not None)


# What a signature is made of; texts and comments are told apart from names.
_TOKEN: Final = re.compile(r"""#[^\n]*|"[^"\n]*"|'[^'\n]*'|\*\*\w+|\*\w*|\w+|[()\[\]{},]""")

_XGBOOST: Final = ("sklearn.py", "XGBModel")
_LIGHTGBM: Final = ("sklearn.py", "LGBMModel")

ESTIMATORS: Final[dict[str, Estimator]] = {
    "ada_boost": Estimator(module="ensemble", classifier="AdaBoostClassifier", regressor="AdaBoostRegressor"),
    "decision_tree": Estimator(module="tree", classifier="DecisionTreeClassifier", regressor="DecisionTreeRegressor"),
    "elastic_net": Estimator(module="linear_model", regressor="ElasticNet"),
    "extra_trees": Estimator(module="ensemble", classifier="ExtraTreesClassifier", regressor="ExtraTreesRegressor"),
    "gradient_boosting": Estimator(
        module="ensemble", classifier="GradientBoostingClassifier", regressor="GradientBoostingRegressor"
    ),
    "hist_gradient_boosting": Estimator(
        module="ensemble",
        classifier="HistGradientBoostingClassifier",
        regressor="HistGradientBoostingRegressor",
        takes_gaps=True,
    ),
    "lasso": Estimator(module="linear_model", regressor="Lasso"),
    "lightgbm": Estimator(
        module="lightgbm",
        classifier="LGBMClassifier",
        regressor="LGBMRegressor",
        library="lightgbm",
        takes_gaps=True,
        unnamed=frozenset(
            {"verbose", "max_bin", "bagging_fraction", "bagging_freq", "feature_fraction", "extra_trees"}
        ),
        wrapped=_LIGHTGBM,
    ),
    "linear": Estimator(module="linear_model", classifier="LogisticRegression", regressor="Ridge"),
    "mlp": Estimator(module="neural_network", classifier="MLPClassifier", regressor="MLPRegressor"),
    "random_forest": Estimator(
        module="ensemble", classifier="RandomForestClassifier", regressor="RandomForestRegressor"
    ),
    "xgboost": Estimator(
        module="xgboost",
        classifier="XGBClassifier",
        regressor="XGBRegressor",
        library="xgboost",
        takes_gaps=True,
        wrapped=_XGBOOST,
    ),
}


LOCAL_ESTIMATORS: Final[dict[str, Estimator]] = {
    "linear": Estimator(module="linear_model", classifier="SGDClassifier", regressor="SGDRegressor"),
    "lightgbm": ESTIMATORS["lightgbm"],
    "xgboost": ESTIMATORS["xgboost"],
}
"""Those whose library learns from one part of the rows after the other."""


def settings_problem(estimator: Estimator, settings: Iterable[str], purpose: Purpose | None = None) -> str | None:
    """Say which settings an estimator does not take, each with the nearest name; None if it takes all.

    Args:
        estimator: which.
        settings: names of what is to be set.
        purpose: what it is for; None: not known yet, so what either class takes is taken.
    """
    chosen = estimator.class_for(purpose) if purpose is not None else None
    classes = (chosen,) if chosen is not None else estimator.classes
    known = frozenset().union(*(_settings_of(estimator, each) for each in classes))
    told = []
    for setting in settings:
        if setting not in known:
            nearest = difflib.get_close_matches(setting, known, n=1)
            told.append(f"{setting!r}" + (f" (did you mean {nearest[0]!r}?)" if nearest else ""))
    if not told:
        return None
    return f"{' and '.join(classes)} ({estimator.module}) take no {', '.join(told)}"


def takes(estimator: Estimator, setting: str, purpose: Purpose) -> bool:
    """Tell whether an estimator has a setting."""
    return settings_problem(estimator, [setting], purpose) is None


def _settings_of(estimator: Estimator, name: str) -> frozenset[str]:
    found: frozenset[str] = estimator.unnamed
    if (path := _snowpark_ml(estimator.module)) is not None:
        for file in sorted(path.glob("*.py")):
            found |= _signature(file, name)
    if estimator.wrapped is not None and (spec := find_spec(estimator.library)) is not None and spec.origin:
        module, wrapped = estimator.wrapped
        found |= _signature(Path(spec.origin).parent / module, wrapped)
    return found - _COLUMNS


def _snowpark_ml(module: str) -> Path | None:
    """Return the folder of a module of Snowpark ML. Only ``snowflake`` is looked up: that imports nothing."""
    spec = find_spec("snowflake")
    places = spec.submodule_search_locations if spec is not None else None
    folders = [Path(place) / "ml" / "modeling" / module for place in places or ()]
    return next((folder for folder in folders if folder.is_dir()), None)


@lru_cache(maxsize=64)
def _signature(file: Path, name: str) -> frozenset[str]:
    """Return the arguments of a class's ``__init__`` as its source text names them; none if the class is not there.

    Not by ``ast``: a generated module of some thousand lines takes long, and threads that parse disturb each other
    (CPython before 3.12).
    """
    text = file.read_text("utf-8")
    start = text.find(f"\nclass {name}(")
    constructor = text.find("def __init__(", start)
    if start < 0 or constructor < 0:
        return frozenset()
    names, depth, begun = set(), 0, False
    for token in _TOKEN.finditer(text, constructor + len("def __init__")):
        word = token.group()
        if word in "([{":
            depth, begun = depth + 1, depth == 0
        elif word in ")]}":
            depth -= 1
        elif word == ",":
            begun = True
        elif begun and depth == 1 and not word.startswith("#"):
            names.add(word)
            begun = False
        if not depth:
            break
    return frozenset(name for name in names if name.isidentifier())


def plain(value: Any) -> Any:
    """Return a setting as an estimator wants it: what the config writes as a list is a tuple for most of them."""
    return tuple(plain(item) for item in value) if isinstance(value, list) else value
