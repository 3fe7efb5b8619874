"""`python -m autograder` is `autograder`."""

from autograder.commands.app import main

main()
