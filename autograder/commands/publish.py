"""`autograder publish`: the tree that students get."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.terminal import console


def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tree goes: a folder or Git repository.")],
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="The repository on GitHub that students get.")],
    branch: Annotated[str, typer.Option(help="Its branch.")] = "main",
    assignment: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this assignment; may be given again. Else all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would change.")] = False,
) -> None:
    """Write the tree that students get: notebooks, package, README, grading workflow; nothing secret is in it.

    Files that it did not write, or that were changed by hand, are never overwritten; the whole tree and all that its
    Git history can still show are looked through for secrets first.
    """
    from autograder import course
    from autograder.publish.destination import Destination
    from autograder.publish.publish import publish as publish_tree

    destination = Destination.parse(repo, branch)
    with console.status("looking for secrets"):
        done = publish_tree(folder, destination, assignment, dry_run=dry_run)
    plan = done.plan
    for sign, paths in (("+", plan.added), ("~", plan.changed), ("-", plan.removed)):
        for path in paths:
            console.print(f"{sign} {path}", markup=False, highlight=False, soft_wrap=True)
    counts = f"{len(plan.added)} new, {len(plan.changed)} changed, {len(plan.removed)} removed"
    looked = f"{done.files} files" + (f" and {done.objects} objects of the history" if done.objects else "")
    names = ", ".join(dict.fromkeys(assignment) if assignment else course.assignment_names())
    console.print(f"assignments: {names}", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{folder}: {'would be ' if dry_run else ''}{counts}, {len(plan.same)} the same; no secret in {looked}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
