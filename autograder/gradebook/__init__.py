"""From results.json to nbgrader's gradebook, and to the notebooks that formgrader opens."""
