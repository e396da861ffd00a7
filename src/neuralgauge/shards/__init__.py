"""Rows in shards on the workers of a Dask cluster: what passes over them asks of each, and how their sums come back."""
