"""Warehouses as Snowflake bills them, and the resource monitors that watch over their credits."""
