"""`autograder publish`: the tree that students get, and nothing that they must not."""
