"""Subprocesses in which code of others runs: packaged models, user-defined functions, procedures.

Why subprocesses: such code changes process-wide state, may crash or hang in native code, and must end with its query
and not with the sandbox.
"""
