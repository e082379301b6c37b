"""A trainer from another company, for pipelines that it has never seen."""
