"""The convex programs, as data, and the mapping between their blocks and neurons."""
