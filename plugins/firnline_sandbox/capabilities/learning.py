"""Objects of Snowflake ML, and Cortex."""

from __future__ import annotations

from typing import Final

from firnline_sandbox.capabilities.row import Area, Capability

_learning = Area("Snowflake ML and Cortex")

ROWS: Final[tuple[Capability, ...]] = (
    _learning.supported(
        "the model registry: versions, aliases, tags, metrics, served by the model's own handler",
        "from sklearn.linear_model import LinearRegression",
        "from snowflake.ml.registry import Registry",
        "import pandas",
        "frame = pandas.DataFrame({'X': [1.0, 2.0, 3.0]})",
        "registry = Registry(session)",
        "version = registry.log_model(LinearRegression().fit(frame, [2.0, 4.0, 6.0]), model_name='doubles',",
        "    version_name='v1', sample_input_data=frame, target_platforms=['WAREHOUSE'])",
        "version.set_metric('r2', 1.0)",
        "answer = (registry.show_models()['name'].tolist(), version.get_metric('r2'))",
        gives=(["DOUBLES"], 1.0),
        language="python",
        note="the model runs with the packages that are installed here",
    ),
    _learning.supported(
        "SHOW MODELS",
        "SHOW MODELS",
        "SELECT COUNT(*) FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))",
        gives=[(0,)],
    ),
    _learning.supported(
        "experiments: runs, parameters, metrics, artifacts",
        "CREATE EXPERIMENT e",
        "SHOW EXPERIMENTS",
        'SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("E",)],
    ),
    _learning.supported(
        "snowflake.ml.modeling: fit and predict",
        "from snowflake.ml.modeling.preprocessing import MinMaxScaler",
        "table = session.table('t')",
        "scaled = MinMaxScaler(input_cols=['ID'], output_cols=['S']).fit(table).transform(table)",
        "answer = sorted(row['S'] for row in scaled.collect())",
        gives=[0.0, 1.0],
        language="python",
    ),
    _learning.refused("datasets", "CREATE DATASET d", says="CREATE DATASET"),
    _learning.refused("SHOW DATASETS", "SHOW DATASETS", says="SHOW DATASETS"),
    _learning.refused("the feature store's own objects", "CREATE FEATURE STORE f", says="CREATE FEATURE STORE"),
    _learning.refused("model monitors", "CREATE MODEL MONITOR m WITH MODEL = x", says="MODEL MONITOR"),
    _learning.refused(
        "ML Jobs", "EXECUTE JOB SERVICE IN COMPUTE POOL p FROM SPECIFICATION ''", says="EXECUTE JOB SERVICE"
    ),
    _learning.refused(
        "artifact repositories", "CREATE ARTIFACT REPOSITORY r TYPE = PIP", says="CREATE ARTIFACT REPOSITORY"
    ),
    _learning.refused("image repositories", "CREATE IMAGE REPOSITORY r", says="CREATE IMAGE REPOSITORY"),
    _learning.refused(
        "Cortex functions", "SELECT SNOWFLAKE.CORTEX.COMPLETE('m', 'x')", says="function SNOWFLAKE.CORTEX.COMPLETE"
    ),
    _learning.refused("AI_* functions", "SELECT AI_COMPLETE('m', 'x')", says="function AI_COMPLETE"),
    _learning.refused(
        "Cortex Search", "CREATE CORTEX SEARCH SERVICE c ON a AS SELECT 1 AS a", says="CREATE CORTEX SEARCH"
    ),
)
