"""The steps before the estimator: the columns of a table become a matrix, exactly as scikit-learn makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from firnline.errors import DataError
from firnline_onnx.conversion.graph import (
    MISSING_TEXT,
    ML,
    Block,
    Graph,
    column_of,
    matrix_of,
    numbers,
    picked,
)
from firnline_onnx.conversion.library import transform_by_library

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def add_transformer(graph: Graph, transformer: Any, block: Block) -> Block:
    """Add a fitted transformer.

    Raises:
        DataError: it, or a setting of it, is not carried over.
    """
    if transformer in ("passthrough", None):
        return block
    name = type(transformer).__name__
    if name == "Pipeline":
        for _, inner in transformer.steps:
            block = add_transformer(graph, inner, block)
        return block
    known = _KNOWN.get(name) if type(transformer).__module__.startswith("sklearn.") else None
    found = known(graph, transformer, block) if known is not None else None
    # None: a setting that is not written by hand.
    return found if found is not None else transform_by_library(graph, transformer, block)


def _column_transformer(graph: Graph, transformer: Any, block: Block) -> Block:
    names = list(getattr(transformer, "feature_names_in_", range(block.width)))
    parts = []
    for _, inner, columns in transformer.transformers_:
        places = _places(columns, names)
        if (isinstance(inner, str) and inner == "drop") or not places:
            continue
        parts.append(add_transformer(graph, inner, picked(graph, block, places)))
    sparse = bool(transformer.sparse_output_)
    texts = tuple(text for part in parts for text in part.texts)
    origins = tuple(origin for part in parts for origin in part.origins)
    if any(texts):
        columns = [column_of(graph, part, place) for part in parts for place in range(part.width)]
        return Block(columns=tuple(columns), texts=texts, origins=origins)
    matrix = graph.concatenated([matrix_of(graph, part, where="ColumnTransformer") for part in parts])
    return numbers(matrix, len(texts), origins=origins, sparse=sparse)


def _places(columns: Any, names: Sequence[Any]) -> list[int]:
    if isinstance(columns, slice):
        return list(range(len(names)))[columns]
    listed = [columns] if isinstance(columns, str | int) else list(columns)
    if listed and all(isinstance(item, bool | np.bool_) for item in listed):
        return [place for place, item in enumerate(listed) if item]
    return [names.index(item) if isinstance(item, str) else int(item) for item in listed]


def _standard_scaler(graph: Graph, transformer: Any, block: Block) -> Block:
    matrix, origins = matrix_of(graph, block, where="StandardScaler"), block.origins
    if transformer.with_mean:
        matrix = graph.add("Sub", matrix, graph.constant(transformer.mean_, np.float64))
    if transformer.with_std:
        matrix = graph.add("Div", matrix, graph.constant(transformer.scale_, np.float64))
    changed = transformer.with_mean or transformer.with_std
    return numbers(matrix, block.width, origins=() if changed else origins, sparse=block.sparse)


def _simple_imputer(graph: Graph, transformer: Any, block: Block) -> Block | None:
    if all(block.texts):
        return _text_imputer(graph, transformer, block)
    if any(block.texts) or not _is_nan(transformer.missing_values):
        return None
    statistics = np.asarray(transformer.statistics_, dtype=np.float64)
    if np.isnan(statistics).any():
        return None  # such columns are left out
    matrix = matrix_of(graph, block, where="SimpleImputer")
    missing = graph.add("IsNaN", matrix)
    filled = graph.add("Where", missing, graph.constant(statistics.reshape(1, -1), np.float64), matrix)
    if transformer.indicator_ is None:
        return numbers(filled, block.width)
    places = [int(place) for place in transformer.indicator_.features_]
    if not places:
        return numbers(filled, block.width)
    flags = graph.double(graph.taken(missing, places))
    return numbers(graph.concatenated([filled, flags]), block.width + len(places))


def _text_imputer(graph: Graph, transformer: Any, block: Block) -> Block:
    import pandas as pd

    if transformer.indicator_ is not None or not (
        transformer.missing_values is pd.NA or transformer.missing_values is None
    ):
        raise DataError(
            "of text, an imputer is exported that takes None or pandas.NA for missing and adds no indicator",
            hint="use SimpleImputer(missing_values=pandas.NA, strategy='constant', fill_value='(missing)')",
        )
    missing = graph.constant([[MISSING_TEXT]], object)
    filled = []
    for place, fill in enumerate(transformer.statistics_):
        column = column_of(graph, block, place)
        filled.append(
            graph.add("Where", graph.add("Equal", column, missing), graph.constant([[str(fill)]], object), column)
        )
    return replace(block, columns=tuple(filled))


def _category_codes(graph: Graph, block: Block, place: int, categories: Sequence[Any]) -> str:
    """Return each row's place among the categories, [rows, 1] of int64; their number for any other value."""
    column, other = column_of(graph, block, place), len(categories)
    if block.texts[place]:
        written = [MISSING_TEXT if _is_missing(category) else category for category in categories]
        if not all(isinstance(category, str) for category in written):
            raise DataError(
                "an encoder of text has learned values that are no text", hint="make the column text in SQL"
            )
        if any(
            category == MISSING_TEXT and not _is_missing(known)
            for category, known in zip(written, categories, strict=True)
        ):
            raise DataError(f"a category is the text {MISSING_TEXT!r}, which stands for NULL in the ONNX file")
        return graph.add(
            "LabelEncoder",
            column,
            domain=ML,
            keys_strings=written,
            values_int64s=list(range(other)),
            default_int64=other,
        )
    known = np.array(
        [np.nan if _is_missing(category) else float(category) for category in categories], dtype=np.float64
    )
    same = graph.add("Equal", column, graph.constant(known.reshape(1, -1), np.float64))
    if np.isnan(known).any():
        gap = graph.constant(np.isnan(known).reshape(1, -1), bool)
        same = graph.add("Or", same, graph.add("And", graph.add("IsNaN", column), gap))
    # The first column that is true; the last one always is.
    from onnx import TensorProto

    whole = graph.cast(same, TensorProto.INT64)
    total = graph.add("ReduceSum", whole, graph.constant([1], np.int64), keepdims=1)
    none = graph.add("Sub", graph.constant([[1]], np.int64), total)
    return graph.add("ArgMax", graph.concatenated([whole, none]), axis=1, keepdims=1)


def _one_hot_encoder(graph: Graph, transformer: Any, block: Block) -> Block | None:
    if transformer.handle_unknown not in {"ignore", "error"} or transformer._infrequent_enabled:  # noqa: SLF001 (no public way)
        raise DataError(
            "OneHotEncoder that gathers infrequent categories is not exported",
            hint="use handle_unknown='ignore' without min_frequency and max_categories, or TargetEncoder",
        )
    parts = []
    for place, categories in enumerate(transformer.categories_):
        codes = _category_codes(graph, block, place, categories)
        _close(graph, transformer, block, place, categories)
        kept = np.arange(len(categories))
        if transformer.drop_idx_ is not None and transformer.drop_idx_[place] is not None:
            kept = np.delete(kept, int(transformer.drop_idx_[place]))
        parts.append(graph.double(graph.add("Equal", codes, graph.constant(kept.reshape(1, -1), np.int64))))
    width = len(transformer.get_feature_names_out())
    return numbers(graph.concatenated(parts), width, sparse=bool(transformer.sparse_output))


def _ordinal_encoder(graph: Graph, transformer: Any, block: Block) -> Block:
    parts = []
    for place, categories in enumerate(transformer.categories_):
        table = np.arange(len(categories) + 1, dtype=np.float64)
        for code, category in enumerate(categories):
            if _is_missing(category):
                table[code] = transformer.encoded_missing_value
        if transformer.handle_unknown == "use_encoded_value":
            table[-1] = np.nan if transformer.unknown_value is None else transformer.unknown_value
        _close(graph, transformer, block, place, categories)
        codes = _category_codes(graph, block, place, categories)
        parts.append(graph.add("Gather", graph.constant(table, np.float64), codes, axis=0))
    return numbers(graph.concatenated(parts), block.width)


def _target_encoder(graph: Graph, transformer: Any, block: Block) -> Block:
    per_column = len(transformer.encodings_) // block.width
    means = np.atleast_1d(transformer.target_mean_)
    parts = []
    for place, categories in enumerate(transformer.categories_):
        codes = _category_codes(graph, block, place, categories)
        for number in range(per_column):
            known = np.asarray(transformer.encodings_[place * per_column + number], dtype=np.float64)
            table = np.append(known, means[number])
            parts.append(graph.add("Gather", graph.constant(table, np.float64), codes, axis=0))
    return numbers(graph.concatenated(parts), len(parts))


def _min_max_scaler(graph: Graph, transformer: Any, block: Block) -> Block | None:
    if transformer.clip:
        return None
    matrix = graph.add(
        "Mul", matrix_of(graph, block, where="MinMaxScaler"), graph.constant(transformer.scale_, np.float64)
    )
    return numbers(graph.add("Add", matrix, graph.constant(transformer.min_, np.float64)), block.width)


def _function_transformer(graph: Graph, transformer: Any, block: Block) -> Block:  # noqa: ARG001 (as the others)
    if transformer.func is not None:
        raise DataError(
            "FunctionTransformer calls Python code, which an ONNX file cannot carry",
            hint="compute the feature in SQL, in the stage `features`",
        )
    return block


_KNOWN: dict[str, Callable[[Graph, Any, Block], Block | None]] = {
    "ColumnTransformer": _column_transformer,
    "FunctionTransformer": _function_transformer,
    "MinMaxScaler": _min_max_scaler,
    "OneHotEncoder": _one_hot_encoder,
    "OrdinalEncoder": _ordinal_encoder,
    "SimpleImputer": _simple_imputer,
    "StandardScaler": _standard_scaler,
    "TargetEncoder": _target_encoder,
}


def reorder_for_histograms(graph: Graph, estimator: Any, block: Block) -> Block:
    """Do what HistGradientBoosting does first when it has columns of categories: encode them, and put them in front."""
    front = estimator._preprocessor  # noqa: SLF001 (no public way)
    if front is None:
        return block
    mask = np.asarray(estimator._is_categorical_remapped)  # noqa: SLF001 (no public way)
    categories = [part for name, part, _ in front.transformers_ if name == "encoder"]
    places = {
        name: _places(columns, list(getattr(front, "feature_names_in_", range(block.width))))
        for name, _, columns in front.transformers_
    }
    encoded = _ordinal_encoder(graph, categories[0], picked(graph, block, places["encoder"]))
    others = places.get("numerical", [])
    assert int(mask.sum()) == encoded.width
    if not others:
        return encoded
    plain = picked(graph, block, others)
    matrix = graph.concatenated([
        matrix_of(graph, encoded, where="HistGradientBoosting"), matrix_of(graph, plain, where="HistGradientBoosting")
    ])  # fmt: skip
    return numbers(matrix, encoded.width + plain.width, origins=(*encoded.origins, *plain.origins))


def _close(graph: Graph, transformer: Any, block: Block, place: int, categories: Sequence[Any]) -> None:
    """Remember that the encoder raises at a category that it does not know."""
    origin = block.origins[place]
    if transformer.handle_unknown == "error" and origin is not None and block.texts[place]:
        graph.closed[origin] = tuple(str(category) for category in categories if not _is_missing(category))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or _is_nan(value)
