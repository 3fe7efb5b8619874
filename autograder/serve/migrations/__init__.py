"""How the tables of the server's database came to be, step by step."""
