"""Networks that the notebooks give."""
