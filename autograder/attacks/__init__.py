"""The corpus of attacks: how an attack is made, run and judged."""
