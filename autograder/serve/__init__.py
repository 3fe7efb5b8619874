"""The judge while students work: a server that takes submissions, grades them and says what came of them."""
