"""What is made of a run's results for people: a table in the terminal and an HTML report."""
