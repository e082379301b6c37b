"""The built-in plugins under the kit that all plugins are under."""
