import pytest

from autograder.results.text import and_more, exercise_label, listed, name_line, number, one_line, plain_text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a window title\x07text", "text"),
        ("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bc\x1b(Breset", "reset"),
        ("a\x00b\x08c\x7f", "abc"),
        ("one\r\ntwo\tthree\rfour", "one\ntwo\tthree\nfour"),
        ("evil\u202egnp.exe\u2066", "evilgnp.exe"),
        ("half \ud800 a pair", "half \ufffd a pair"),
        ("Ada Nguyễn 李 [x]", "Ada Nguyễn 李 [x]"),
    ],
)
def test_plain_text_keeps_what_people_read(raw, shown):
    assert plain_text(raw, 100) == shown


def test_plain_text_is_cut_and_says_so():
    assert plain_text("x" * 50, 10) == "x" * 9 + "…"
    assert plain_text("x" * 10, 10) == "x" * 10


def test_what_tells_namesakes_apart_is_not_cut():
    one, other = (f"{'x' * 90}-{digest * 4}" for digest in ("0123", "4567"))
    assert name_line(one, 80) == "x" * 62 + "…-" + "0123" * 4
    for limit in (24, 40, 80):
        assert len(name_line(one, limit)) == limit and name_line(one, limit) != name_line(other, limit)
    assert name_line("a" * 50 + "_12345", 24) == "a" * 17 + "…_12345"
    assert name_line(one, 200) == one and name_line(" Ada\nByron ", 24) == "Ada Byron"
    assert name_line("a" * 50, 24) == "a" * 23 + "…"


def test_one_line_has_one_line():
    assert one_line("  a\n\n b\r\tc\u2028d\x85e \x1b[2J ") == "a b c d e"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2.0, "2"), (2.5, "2.5"), (1 / 3, "0.33"), (0.0, "0"), (1234.5, "1234.5"), (250000.0, "250000")],
)
def test_number(value, shown):
    assert number(value) == shown


def test_exercise_label_drops_only_its_own_assignment():
    assert exercise_label("vae.gaussian_kl", "vae") == "gaussian_kl"
    assert exercise_label("gcn.layer", "vae") == "gcn.layer"


def test_what_a_list_leaves_out_is_counted():
    assert listed([], 2) == "" and listed(["ada", "bob"], 2) == "ada, bob"
    assert listed(["ada", "bob", "eve"], 2) == "ada, bob and 1 more"
    assert (and_more(3), and_more(0), and_more(-1)) == ("and 3 more", "", "")


def test_a_letter_carries_few_marks():
    assert plain_text("Z" + "\u0335\u0301" * 200 + "a", 1000) == "Z" + "\u0335\u0301" * 4 + "a"
    assert one_line("x" + "\u0335\u200d" * 100).count("\u0335") == 8  # a joiner ends no heap
    for honest in ("Nguye\u0302\u0303n", "ก็น้ำ", "שָׁלוֹם", "हिन्दी", "བསྒྲུབས"):
        assert plain_text(honest, 100) == honest
