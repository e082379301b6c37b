"""Steps that compute features from tables of the platform."""
