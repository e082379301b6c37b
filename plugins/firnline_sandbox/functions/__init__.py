"""User-defined functions and stored procedures: their place in the catalog, and the workers that run them.

Importing the package registers nothing; ``statements`` does, which the registry loads.
"""
