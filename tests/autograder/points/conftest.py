from tests.autograder.fabricated_runs import every_verdict, make_run, make_submission, write_graded  # noqa: F401
