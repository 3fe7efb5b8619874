"""Wrong answers that nobody has named: in groups, the largest first, each with a skeleton that can be written down."""

from types import SimpleNamespace

from autograder.authoring.declared import ASSIGNMENTS, broad_mistakes
from autograder.judge.exercise import Mistake, mistake
from autograder.reports.likeness import code_pieces, form_of, prose_pieces
from autograder.reports.unknown import skeleton, unknown_groups

KNOWN = ("fail", "sigma is a variance", "variance")


def fail(message):
    return ("fail", message, None)


CODE = {
    "a": {"kl": "def kl(mu, sigma):\n    return mu - sigma  # so"},
    "b": {"kl": 'def kl(m, s):\n    """Mine."""\n    return m - s'},
    "c": {"kl": "def kl(mu, sigma):\n    return mu / sigma"},
}


def test_the_largest_group_comes_first_and_numbers_in_messages_do_not_part_it(submission, make_run):
    run = make_run(
        submission("a", kl=fail("shape (5, 3) is wrong")),
        submission("b", kl=fail("shape (1, 4) is wrong")),
        submission("c", kl=fail("shape (7, 3) is wrong"), grid=("error", "TypeError: no", None)),
        submission("d", kl=KNOWN, grid=("timeout", "late", None)),
    )
    groups = unknown_groups(run, lambda student: CODE.get(student, {}))
    assert [(group.exercise, group.students) for group in groups] == [
        ("little.kl", ["a", "b", "c"]),
        ("little.grid", ["c"]),
    ]
    assert [form.students for form in groups[0].forms] == [["a", "b"], ["c"]]
    assert groups[0].forms[0].code == CODE["a"]["kl"]
    assert "return mu - sigma" in groups[0].mistake and groups[1].forms == []


def test_numbers_that_answers_give_decide_if_they_are_known(submission, make_run):
    run = make_run(*(submission(name, kl=fail("its numbers are wrong")) for name in "abc"))
    numbers = {("a", "little.kl"): "1", ("b", "little.kl"): "2", ("c", "little.kl"): "1"}
    groups = unknown_groups(run, lambda student: CODE[student], numbers)
    assert [group.students for group in groups] == [["a", "c"], ["b"]]


def test_a_broad_mistake_says_which_part_is_wrong_and_is_unknown_all_the_same(submission, make_run, tmp_path):
    folder = tmp_path / ASSIGNMENTS / "little"
    folder.mkdir(parents=True)
    (folder / "kl.py").write_text(
        '@mistake("Sigma.")\ndef variance(s): ...\n\n\n@mistake("One word.", broad=True)\ndef one_word(s): ...\n'
    )
    broad = broad_mistakes("little", tmp_path)
    assert broad == {("little.kl", "one_word")} and broad_mistakes("none", tmp_path) == set()
    part = ("fail", "One word.", "one_word")
    run = make_run(submission("a", kl=part), submission("b", kl=KNOWN), submission("c", kl=part, grid=part))
    (group,) = unknown_groups(run, lambda student: CODE[student], broad=broad)
    assert (group.exercise, group.students, len(group.forms)) == ("little.kl", ["a", "c"], 2)


def test_a_skeleton_is_a_mistake_once_it_is_pasted():
    space = {"mistake": mistake}
    exec(skeleton(CODE["b"]["kl"]), space)
    found = space["name_of_the_mistake"]
    assert isinstance(found, Mistake) and found.answer(5, 3) == 2


def test_a_skeleton_of_a_method_is_a_class():
    text = skeleton("# exercise: step\ndef step(self, x):\n    'doc'\n    return x + 1", "Net")
    space = {"mistake": mistake, "Net": SimpleNamespace}
    exec(text, space)
    assert space["name_of_the_mistake"].answer().step(2) == 3


def test_code_that_cannot_be_read_has_a_skeleton_all_the_same():
    assert "@mistake(" in skeleton("def broken(:") and "@mistake(" in skeleton("x = " + "-" * 3000 + "1")
    deep = "def f():\n    return " + "+".join(["x"] * 3000)
    assert "@mistake(" in skeleton(deep)
    code_pieces(deep)


def test_names_comments_and_formatting_make_no_other_form():
    one = "def f(x, y):\n    total = torch.sum(x * y)\n    return total / 2"
    other = '# mine\ndef f(a: Tensor, b) -> Tensor:\n    """Doc."""\n'
    other += "    s: Tensor = torch.sum(\n        a*b)\n    return s/2"
    assert form_of(one) == form_of(other)
    for changed in ("torch.mean(x * y)", "torch.sum(x + y)", "torch.sum(x * x)", "torch.sum(x * y) * 3"):
        assert form_of(one.replace("torch.sum(x * y)", changed)) != form_of(one)


def test_pieces_say_where_they_stand():
    pieces = code_pieces("def f(x):\n    y = 2\n    return torch.sqrt(x * y + 1)")
    assert 3 in pieces.values() and max(pieces.values()) == 3
    assert list(prose_pieces("One two, three\nfour five six.").values()) == [1, 1]
    assert prose_pieces("ONE two; three four FIVE").keys() <= prose_pieces("x one two three four five").keys()


def test_hostile_code_is_bounded():
    for code in ("(" * 5000, "\0", "x" * 20_000, "[" * 90 + "]" * 90, "%%bash\nrm", "lambda: " * 500 + "1"):
        form_of(code)
        assert "@mistake(" in skeleton(code)


def test_no_notebook_is_no_code(submission, make_run):
    (group,) = unknown_groups(make_run(submission("a", kl=fail("no"))), lambda _: {})
    assert (group.forms, group.mistake) == ([], "")
