"""Which version of a model production uses: decided by a comparison, or by hand, and kept with the versions."""
