"""results.json and what belongs to it: its model, files, reading, writing, and how results are worded."""
