"""Algorithms for the convex programs."""
