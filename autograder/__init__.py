"""The instructors' package: builds the notebooks, proves the checks, grades submissions."""
