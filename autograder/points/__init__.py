"""From what was judged to the points that count: due dates, weights and excuses of course.toml, and adjustments.csv."""
