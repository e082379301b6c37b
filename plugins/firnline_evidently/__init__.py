"""The drift monitor: numbers from all rows, computed in the platform; a page by Evidently."""
