"""Steps that measure a fitted model on rows it has not seen."""
