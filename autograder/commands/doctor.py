"""`autograder doctor`: what of the sandbox works on this machine."""

from rich.markup import escape
from rich.table import Table

from autograder.commands.terminal import console
from autograder.errors import SandboxError


def doctor() -> None:
    """Try every layer of the sandbox in a real kernel: what is on, what is not, and what follows."""
    from autograder.sandbox.doctor import examine

    with console.status("looking at the sandbox, in real kernels"):
        layers = examine()
    table = Table("layer", "", "what was seen", "what follows", box=None, pad_edge=False)
    for layer in layers:
        style = {"on": "green"}.get(layer.state, "red" if layer.essential else "dim")
        table.add_row(layer.name, f"[{style}]{layer.state}", escape(layer.seen), escape(layer.follows))
    console.print(table)
    lacking = [layer.name for layer in layers if layer.is_lacking]
    if lacking:
        raise SandboxError(f"nothing can be graded here without: {', '.join(lacking)}")
    console.print("Submissions can be graded here.")
