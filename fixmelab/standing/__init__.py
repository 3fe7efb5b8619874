"""Where a student stands before they hand in: what is done and open, and what grading would make of the notebook."""
