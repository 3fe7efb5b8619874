"""How a cell is executed in grading, and in a dry run of it."""
