"""Steps that fit a model."""
