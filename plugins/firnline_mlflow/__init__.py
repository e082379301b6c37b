"""Runs in MLflow: params, metrics, artifacts and models of each run, in a tracking store of your own."""
