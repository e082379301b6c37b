"""Dynamic tables of the sandbox: the rows of a query, computed anew when they have grown older than they may."""
