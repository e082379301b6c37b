"""The guard of a credit budget: estimate before, cap during, account after."""
