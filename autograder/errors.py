"""The two ways in which a command can end badly, each shown as one line."""


class InputError(Exception):
    """What the user gave is wrong: says what, where, and what to do. Exit code 1."""


class UsageError(InputError):
    """A command was given a value that makes no sense. The message is one line, as above; the exit code is 2."""


class SandboxError(Exception):
    """The sandbox or a worker could not do its part; no verdict follows from it. Exit code 3."""
