"""Files: where stages keep them, how they come and go, and how they are read as rows."""
