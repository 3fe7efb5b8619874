import io

from rich.console import Console
from rich.table import Table

from autograder.reports.table import results_table

WRONG = ("fail", "sigma is taken for\nthe variance " + "and so on " * 40, "variance_as_sigma")


def shown(run, width=100, colour=False):
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    table = results_table(run)
    assert isinstance(table, Table)
    console.print(table)
    return console.file.getvalue()


def line_of(text, start):
    (found,) = (line for line in text.splitlines() if line.strip().startswith(start))
    return found


def test_a_row_holds_score_and_verdicts(submission, make_run):
    text = shown(make_run(submission("ada"), submission("emil", kl=WRONG)))
    assert line_of(text, "ada  ").split() == ["ada", "3.5", "/", "3.5", "?✓✓"]
    assert line_of(text, "emil  ").split()[:5] == ["emil", "1.5", "/", "3.5", "?✗✓"]
    assert "3 more points are graded by a person" in text


def test_what_was_lost_takes_one_line_each(submission, make_run):
    text = shown(make_run(submission("ada"), submission("emil", kl=WRONG, grid=("missing", "", None))))
    lost = text[text.index("Lost") :]
    assert "sigma is taken for the variance" in line_of(lost, "kl")
    assert line_of(lost, "kl").rstrip().endswith("…")
    assert line_of(lost, "1 not answered").split()[-2:] == ["missing", "grid"]
    assert "ada" not in lost


def test_nothing_lost_shows_no_list(submission, make_run):
    assert "Lost" not in shown(make_run(submission("ada")))


def test_a_large_class_gets_rows_only(submission, make_run):
    twelve = [submission(f"student{i:02}", kl=WRONG) for i in range(12)]
    assert "sigma is taken" in shown(make_run(*twelve))
    text = shown(make_run(*twelve, submission("one_more", kl=WRONG)))
    assert "sigma is taken" not in text
    assert "one_more" in text


def test_many_exercises_are_counted(submission, make_run):
    one = submission("ada", kl=WRONG)
    many = one.model_copy(update={"exercises": one.exercises * 11})
    assert "11 pass" in shown(make_run(many)) and "11 fail" in shown(make_run(many))


def test_markup_and_terminal_sequences_are_only_text(submission, make_run, hostile_name):
    message = "[red]x[/red][link=http://example.org]y[/link]\x1b[2J\x1b]0;owned\x07"
    run = make_run(submission(hostile_name, kl=("error", message, None)), submission("[/]"))
    text = shown(run, width=200, colour=True)
    assert "[red]x[/red][link=http://example.org]y[/link]" in text
    assert line_of(shown(run), "[/]")
    for forbidden in ("\x1b[2J", "\x1b]", "owned", "\x07", "\u202e", "\x1b[31m"):
        assert forbidden not in text


def test_empty_run(make_run):
    assert "no submissions" in shown(make_run())


def test_narrow_terminal_is_not_overrun(submission, make_run, hostile_name):
    text = shown(make_run(submission(hostile_name, kl=WRONG)), width=60)
    assert max(map(len, text.splitlines())) <= 60
