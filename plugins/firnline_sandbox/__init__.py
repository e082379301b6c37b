"""An embedded Snowflake-compatible engine: real Snowpark and Snowflake ML clients, no account, data in a local folder.

::

    import firnline_sandbox

    session = firnline_sandbox.session()                 # a Snowpark session in memory
    connection = firnline_sandbox.connect("my/folder")   # a connection like the Snowflake connector's
"""

from firnline_sandbox.engine import SandboxEngine
from firnline_sandbox.sessions import connect, session

__all__ = ["SandboxEngine", "connect", "session"]
