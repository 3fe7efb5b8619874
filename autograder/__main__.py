"""`python -m autograder` is `autograder`."""

from autograder.commands.main import main

main()
