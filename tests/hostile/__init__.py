"""Plugins that misbehave, really installed. None of them may break the others."""
