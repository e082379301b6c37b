"""The Snowflake platform, and the steps on Snowpark and Snowflake ML that run on it and on the sandbox alike."""
