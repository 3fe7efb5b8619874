from tests.autograder.fabricated_runs import make_run, make_submission  # noqa: F401
