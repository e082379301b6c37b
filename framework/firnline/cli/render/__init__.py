"""What a user sees in the terminal: pure functions from frozen values to what rich prints.

Nothing is imported here: a command imports the module that it needs, and only then is rich loaded.
"""
