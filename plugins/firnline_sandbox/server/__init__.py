"""One sandbox for several processes, and for clients that speak the Snowflake connector's HTTP protocol.

Whoever holds a sandbox's folder listens on a loopback port (``listener``, ``web``). Other processes of Firnline's own
find it through a file in the folder (``endpoint``) and run their sessions there (``remote``, ``private``); Snowflake's
clients log in (``connector``). A server that was started for the purpose is such a holder, too (``daemon``).
docs/adr/0005-one-holder-many-processes.md says why.
"""
