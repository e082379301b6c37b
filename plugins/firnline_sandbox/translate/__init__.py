"""From Snowflake SQL to DuckDB SQL, with every expression's Snowflake type known on the way."""
