"""Train on rows exported from the platform, outside of it, with PyTorch on CPUs or GPUs."""
