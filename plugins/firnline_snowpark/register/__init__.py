"""Steps that put a model into the Model Registry."""
