"""Trees of scikit-learn, XGBoost and LightGBM, read from the libraries' own descriptions of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from firnline.errors import DataError
from firnline_onnx.conversion.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

Link: TypeAlias = Literal["identity", "exp", "sigmoid", "softmax"]

_XGBOOST_LINKS: Final[dict[str, Link]] = {
    "binary:logistic": "sigmoid",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
    "count:poisson": "exp",
}
_LIGHTGBM_LINKS: Final[dict[str, Link]] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}
_BITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Trees and what is made of their sum.

    Attributes:
        trees: the trees.
        targets: how many sums there are.
        base: added to each sum.
        scale: each sum is multiplied by it, after the base was added.
        link: what makes the prediction of a sum.
        whole: features of which the library drops the fraction: codes of categories.
        single: whether the library rounds the features to single precision before it compares.
    """

    trees: list[Tree]
    targets: int
    base: tuple[float, ...]
    link: Link
    scale: float = 1.0
    whole: frozenset[int] = frozenset()
    single: bool = False


def from_xgboost(estimator: Any) -> Ensemble:
    """Read an XGBoost model; of one that stopped early, the rounds that it predicts with.

    Raises:
        DataError: it uses what is not carried over.
    """
    booster = estimator.get_booster() if hasattr(estimator, "get_booster") else estimator
    best = booster.attr("best_iteration")
    if best is not None:
        booster = booster[: int(best) + 1]
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    kind = learner["gradient_booster"]["name"]
    if kind != "gbtree":
        raise DataError(f"XGBoost's {kind!r} booster is not exported", hint="train with booster=gbtree, the default")
    link = _known_link(_XGBOOST_LINKS, learner["objective"]["name"], "XGBoost")
    targets = max(1, int(learner["learner_model_param"]["num_class"]))
    base = np.atleast_1d(np.array(json.loads(learner["learner_model_param"]["base_score"]), dtype=np.float64))
    if link == "sigmoid":
        base = np.log(base / (1 - base))
    elif link == "exp":
        base = np.log(base)
    model = learner["gradient_booster"]["model"]
    trees = [_xgboost_tree(tree, target) for tree, target in zip(model["trees"], model["tree_info"], strict=True)]
    return Ensemble(
        trees=trees, targets=targets, base=tuple(np.broadcast_to(base, targets).tolist()), link=link, single=True
    )


def _xgboost_tree(read: Mapping[str, Any], target: int) -> Tree:
    if read["categories_nodes"]:
        raise DataError(
            "XGBoost's own splits by category (enable_categorical) are not exported",
            hint="encode categories in the pipeline, with OneHotEncoder(sparse_output=False) or TargetEncoder",
        )
    if int(read["tree_param"]["size_leaf_vector"]) > 1:
        raise DataError("XGBoost's trees with a vector in each leaf are not exported", hint="use one_output_per_tree")
    tree = Tree()
    for node, left in enumerate(read["left_children"]):
        tree.reserve()
        if left == -1:
            tree.leaves.append((node, target, float(read["split_conditions"][node])))
            continue
        tree.split(
            node,
            int(read["split_indices"][node]),
            "BRANCH_LT",
            float(np.float32(read["split_conditions"][node])),
            left,
            read["right_children"][node],
            missing_left=bool(read["default_left"][node]),
        )
    return tree


def from_lightgbm(estimator: Any) -> Ensemble:
    """Read a LightGBM model.

    Raises:
        DataError: it uses what is not carried over.
    """
    booster = estimator.booster_ if hasattr(estimator, "booster_") else estimator
    read = booster.dump_model(num_iteration=booster.best_iteration if booster.best_iteration > 0 else None)
    words = read.get("objective", "").split()
    link = _known_link(_LIGHTGBM_LINKS, words[0] if words else "a function of your own", "LightGBM")
    options = dict(word.partition(":")[::2] for word in words[1:])
    if "sqrt" in options or read.get("average_output"):
        raise DataError("LightGBM's reg_sqrt and random forests are not exported", hint="train without them")
    targets = int(read["num_tree_per_iteration"])
    trees = []
    for number, told in enumerate(read["tree_info"]):
        tree = Tree()
        _lightgbm_node(tree, tree.reserve(), told["tree_structure"], number % targets)
        trees.append(tree)
    return Ensemble(
        trees=trees,
        targets=targets,
        base=(0.0,) * targets,
        link=link,
        scale=float(options.get("sigmoid", 1.0)),
        whole=frozenset(
            feature
            for tree in trees
            for feature, mode in zip(tree.features, tree.modes, strict=True)
            if mode == "BRANCH_EQ"
        ),
    )


def _lightgbm_node(tree: Tree, node: int, read: Mapping[str, Any], target: int) -> None:
    if "split_feature" not in read:
        if "leaf_coeff" in read:
            raise DataError("LightGBM's linear trees are not exported", hint="train with linear_tree=False")
        tree.leaves.append((node, target, float(read["leaf_value"])))
        return
    left, right = tree.reserve(), tree.reserve()
    feature, missing = int(read["split_feature"]), read["missing_type"]
    if missing == "Zero":
        raise DataError("LightGBM's zero_as_missing is not exported", hint="train with zero_as_missing=False")
    if read["decision_type"] == "==":
        tree.split_by_categories(node, feature, [int(code) for code in read["threshold"].split("||")], left, right)
    else:
        threshold = float(read["threshold"])
        # Without missing values in training, a missing value counts as zero.
        missing_left = bool(read["default_left"]) if missing == "NaN" else threshold >= 0
        tree.split(node, feature, "BRANCH_LEQ", threshold, left, right, missing_left=missing_left)
    _lightgbm_node(tree, left, read["left_child"], target)
    _lightgbm_node(tree, right, read["right_child"], target)


def from_histogram_boosting(estimator: Any) -> Ensemble:
    """Read scikit-learn's HistGradientBoosting, splits by category included.

    Raises:
        DataError: its loss is not known here.
    """
    links: dict[str, Link] = {
        "IdentityLink": "identity", "LogLink": "exp", "LogitLink": "sigmoid", "HalfLogitLink": "sigmoid",
        "MultinomialLogit": "softmax",
    }  # fmt: skip
    link = _known_link(links, type(estimator._loss.link).__name__, "HistGradientBoosting")  # noqa: SLF001 (no public way)
    base = np.ravel(estimator._baseline_prediction)  # noqa: SLF001 (no public way)
    known, places = (None, None)
    if estimator.is_categorical_ is not None:
        known, places = estimator._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 (no public way)
    trees = [
        _histogram_tree(predictor, target, known, places)
        for predictors in estimator._predictors  # noqa: SLF001 (no public way)
        for target, predictor in enumerate(predictors)
    ]
    return Ensemble(trees=trees, targets=len(base), base=tuple(base.tolist()), link=link)


def _histogram_tree(predictor: Any, target: int, known: Any, places: Any) -> Tree:
    tree = Tree()
    for _ in predictor.nodes:
        tree.reserve()
    for node, read in enumerate(predictor.nodes):
        feature, left, right = int(read["feature_idx"]), int(read["left"]), int(read["right"])
        missing_left = bool(read["missing_go_to_left"])
        if read["is_leaf"]:
            tree.leaves.append((node, target, float(read["value"])))
        elif read["is_categorical"]:
            to_left = set(_members(predictor.raw_left_cat_bitsets[int(read["bitset_idx"])]))
            # Unknown categories go where missing values go: only the others are asked for by name.
            if missing_left:
                named = sorted(set(_members(known[int(places[feature])])) - to_left)
                tree.split_by_categories(node, feature, named, right, left)
            else:
                tree.split_by_categories(node, feature, sorted(to_left), left, right)
        else:
            value = float(read["num_threshold"])
            tree.split(node, feature, "BRANCH_LEQ", value, left, right, missing_left=missing_left)
    return tree


def from_forest(estimator: Any) -> Ensemble:
    """Read a decision tree, or a forest of them: each tree's share of the classes, or amount, on the average."""
    members = list(getattr(estimator, "estimators_", [estimator]))
    trees, targets = [], 1
    for member in members:
        state, values = member.tree_.__getstate__()["nodes"], member.tree_.value[:, 0, :]
        if hasattr(member, "classes_"):
            values = values / values.sum(axis=1, keepdims=True)
        targets = values.shape[1]
        tree = Tree()
        for node, read in enumerate(state):
            tree.reserve()
            left, right = int(read["left_child"]), int(read["right_child"])
            if left == -1:
                tree.leaves.extend(
                    (node, place, float(value)) for place, value in enumerate(values[node] / len(members))
                )
                continue
            missing_left = bool(read["missing_go_to_left"])
            feature, value = int(read["feature"]), float(read["threshold"])
            tree.split(node, feature, "BRANCH_LEQ", value, left, right, missing_left=missing_left)
        trees.append(tree)
    return Ensemble(trees=trees, targets=targets, base=(0.0,) * targets, link="identity", single=True)


def _members(bits: Any) -> list[int]:
    return [word * _BITS + bit for word, value in enumerate(bits) for bit in range(_BITS) if int(value) >> bit & 1]


def _known_link(links: Mapping[str, Link], name: str, library: str) -> Link:
    if name not in links:
        raise DataError(f"{library}'s objective {name!r} is not exported", hint=f"these are: {', '.join(links)}")
    return links[name]
