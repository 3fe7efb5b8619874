"""Whether a process that stays for long still runs the code that lies on its disk: it builds the walls by what it has
loaded, and results are noted as those of what is there."""

from autograder.errors import SandboxError
from autograder.grading.digest import grader_digest, package_digest

AT_THE_START = grader_digest(), package_digest()


def require_code_as_loaded() -> None:
    """Raise SandboxError if other code lies on disk than when this module was imported."""
    if (grader_digest(), package_digest()) != AT_THE_START:
        raise SandboxError("the grader's code has changed since this was started; start it again")
