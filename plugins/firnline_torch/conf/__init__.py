"""Option files of this plugin; a package, so that Hydra finds them without importing the steps."""
