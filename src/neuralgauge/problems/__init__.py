"""Training problems: a data fit, atoms and a penalty."""
