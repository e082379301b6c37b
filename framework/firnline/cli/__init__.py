"""Arguments, exit codes, rendering."""
