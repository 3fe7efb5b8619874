"""From the text of a notebook to its source and release, and the scan that keeps answers out of the release."""
