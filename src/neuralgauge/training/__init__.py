"""Training and certificates: column generation, paths, interpolation, screening."""
