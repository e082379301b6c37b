"""Statement families: each module registers its handlers with :mod:`firnline_sandbox.statements.registry`."""
