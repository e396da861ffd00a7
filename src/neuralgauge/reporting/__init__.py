"""A report on a network: one HTML file with data, certificate, neurons, effects and scores."""
