"""Gates that stop a pipeline when its data is not what it should be."""
