"""Pictures of training, paths, certificates and networks, by Matplotlib."""
