"""Steps that sum a run up for a reader."""
