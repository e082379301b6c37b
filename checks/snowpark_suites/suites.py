"""Which of Snowpark's suites are run, and in which group each counts."""

from __future__ import annotations

from typing import Final

CORE: Final = (
    "test_dataframe.py",
    "scala/test_dataframe_suite.py",
    "scala/test_dataframe_join_suite.py",
    "scala/test_dataframe_aggregate_suite.py",
    "scala/test_dataframe_set_operations_suite.py",
    "scala/test_window_frame_suite.py",
    "scala/test_window_spec_suite.py",
    "scala/test_update_delete_merge_suite.py",
    "scala/test_column_suite.py",
    "test_df_aggregate.py",
    "test_df_analytics.py",
)
"""The suites about DataFrames, joins, aggregates, windows, set operations, merges and columns."""

OTHERS: Final = (
    "test_function.py",
    "scala/test_function_suite.py",
    "scala/test_table_function_suite.py",
    "scala/test_dataframe_reader_suite.py",
    "scala/test_dataframe_writer_suite.py",
    "scala/test_dataframe_copy_into.py",
    "scala/test_file_operation_suite.py",
    "scala/test_async_job_suite.py",
    "scala/test_session_suite.py",
    "scala/test_udf_suite.py",
    "test_pandas_to_df.py",
    "test_df_to_pandas.py",
    "test_multithreading.py",
    "test_query_history.py",
    "test_udf.py",
    "test_udtf.py",
    "test_udaf.py",
    "test_stored_procedure.py",
)
"""Functions, files, user code, sessions and threads."""

SUITES: Final = CORE + OTHERS

# Started first, for they take longest.
SLOW: Final = (
    "test_udf.py",
    "test_stored_procedure.py",
    "test_dataframe.py",
    "scala/test_function_suite.py",
    "test_udtf.py",
)
