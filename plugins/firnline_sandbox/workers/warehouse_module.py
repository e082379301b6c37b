"""The module ``_snowflake``, which Snowflake's warehouses have and handlers import."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FLATTEN: Final = "flatten_object_input"
VECTORIZED: Final = "_sf_vectorized_input"
BATCH_SIZE: Final = "_sf_max_batch_size"


def provide_module() -> None:
    """Put the module in place, as far as the sandbox has what stands behind it."""
    module = types.ModuleType("_snowflake")

    def vectorized(**options: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def mark(function: Callable[..., Any]) -> Callable[..., Any]:
            setattr(function, FLATTEN, bool(options.get(FLATTEN)))
            setattr(function, VECTORIZED, options.get("input"))
            setattr(function, BATCH_SIZE, options.get("max_batch_size"))
            return function

        return mark

    def udf_init_once(function: Callable[[], None]) -> Callable[[], None]:
        return function

    module.vectorized = vectorized  # type: ignore[attr-defined]
    module.udf_init_once = udf_init_once  # type: ignore[attr-defined]
    sys.modules["_snowflake"] = module
