"""Tables of unknown columns: what each column is good for, and the rows made ready."""
