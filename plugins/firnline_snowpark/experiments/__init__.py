"""The tracker ``experiments``: runs in Snowflake Experiments."""
