"""The built-in search: ``hydra/sweeper=optuna`` looks for the best params with Optuna."""
