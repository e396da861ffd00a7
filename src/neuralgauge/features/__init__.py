"""All that touches the rows of X: products, patches, readouts, spectra."""
