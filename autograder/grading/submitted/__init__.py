"""What is handed in: notebooks, in folders and archives, and whose they are."""
