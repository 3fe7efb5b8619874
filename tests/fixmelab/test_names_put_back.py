"""What the course's own cells read is as they left it; what else a student's cell makes is left alone."""

import os

import pytest

from fixmelab.executing.names import Names


@pytest.fixture
def space():
    return {}


@pytest.fixture
def run(space):
    names = Names(lambda: space)

    def run(whose: str, source: str) -> None:
        with names.around(whose, source):
            exec(source, space)

    run("course", "import math\nscale, kl = 2, None")
    run("answer", "def answer(x): return kl(x) * scale")
    return run


def test_a_test_reads_what_the_course_has_made(run, space):
    run("student", "scale = 'used up'\ndel math, answer\nsum = 0")
    run("test", "assert scale == 2 and math.pi > 3 and sum([1]) == 1 and callable(answer)")


def test_a_name_that_the_course_does_not_read_stays_the_students(run, space):
    run("student", "def kl(x): return x\ndef sum(x): return 'mine'")
    run("test", "assert answer(3) == 6\nassert sum([1]) == 'mine'")
    run("course", "kl = 5")  # makes it anew, and reads nothing
    run("student", "kl = lambda x: 1")
    run("test", "assert answer(3) == 2")


def test_what_an_answer_makes_is_the_answers(run, space):
    run("answer", "scale = 10")
    run("test", "assert scale == 10")


def test_environment_variables_are_there_again(run, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    run("student", "import os\nos.environ.clear()\nos.environ['OWN'] = '1'")
    run("test", "import os\nassert os.environ['PATH'] and os.environ['OWN'] == '1'")
