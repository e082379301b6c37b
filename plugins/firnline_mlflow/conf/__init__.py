"""Config options of this plugin."""
