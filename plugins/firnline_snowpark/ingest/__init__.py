"""Steps that bring data into the platform."""
