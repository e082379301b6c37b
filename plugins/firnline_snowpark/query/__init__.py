"""Steps whose work is a query or a function of the user's own."""
