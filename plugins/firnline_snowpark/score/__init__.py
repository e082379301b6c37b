"""Steps that let a registered model predict, in the warehouse."""
