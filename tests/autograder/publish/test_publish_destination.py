"""What may be published to: names of repositories and branches, and nothing that is read as something else."""

import pytest

from autograder.errors import InputError
from autograder.publish.destination import Destination


@pytest.mark.parametrize(
    ("repository", "branch"),
    [
        ("ada/homework", "main"),
        ("a/b", "m"),
        ("ada-b-c/dgm.2026_x-1", "winter/2026"),
        ("ada_uni/hw", "v1.0"),
        ("A1/.github", "a-b_c"),
        ("a" * 39 + "/" + "b" * 100, "b" * 200),
    ],
)
def test_what_github_takes_is_taken(repository, branch):
    destination = Destination.parse(repository, branch)
    assert destination.requirement == f"git+https://github.com/{repository}@{branch}"
    assert (
        destination.colab("a/b.ipynb")
        == f"https://colab.research.google.com/github/{repository}/blob/{branch}/a/b.ipynb"
    )


@pytest.mark.parametrize(
    "repository",
    [
        *("", "ada", "ada/", "/homework", "ada/home/work", "ada//homework", "https://github.com/ada/homework"),
        *(
            "-ada/x",
            "ada-/x",
            "a--b/x",
            "a" * 40 + "/x",
            "ada/" + "b" * 101,
            "ada/..",
            "ada/.",
            "ada/x.git",
            "ada/x.wiki",
        ),
        *("ada/home work", "ada/x\n", " ada/x", "ada/x;y", "ada/x$(y)", 'ada/x"y', "ada/x@y", "ädä/x", "ada/ü", "../x"),
        *("ada/{{branch}}", "ada/${{x}}", "ada/x#y", "ada/x?y", "a\\da/x", "ada/x\x00"),
    ],
)
def test_what_is_no_repository_is_refused_in_one_line(repository):
    with pytest.raises(InputError, match=r"^--repo .* is not OWNER/NAME") as caught:
        Destination.parse(repository)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("https://github.com/uni/homework", "; did you mean uni/homework?"),
        ("https://github.com/uni/homework.git", "; did you mean uni/homework?"),
        ("http://www.github.com/uni/homework/", "; did you mean uni/homework?"),
        ("https://github.com/uni/homework/tree/main?x#y", "; did you mean uni/homework?"),
        ("git@github.com:uni/homework.git", "; did you mean uni/homework?"),
        ("ssh://git@github.com/uni/homework", "; did you mean uni/homework?"),
        ("github.com/uni/homework", "; did you mean uni/homework?"),
        ("https://github.com/uni/..", ", such as ada/homework"),
        ("https://github.com/-uni/homework", ", such as ada/homework"),
        ("https://gitlab.com/uni/homework", ", such as ada/homework"),
    ],
)
def test_an_address_gets_a_hint(address, meant):
    with pytest.raises(InputError) as caught:
        Destination.parse(address)
    assert str(caught.value) == f"--repo {address!r} is not OWNER/NAME of a repository on GitHub{meant}"


@pytest.mark.parametrize(
    "branch",
    [
        *("", "-x", "/x", "x/", "x//y", "x..y", ".x", "x/.y", "x.", "x.lock", "x/y.lock/z", "HEAD", "refs/heads/x"),
        *(
            "x y",
            "x~1",
            "x^",
            "x:y",
            "x?",
            "x*",
            "x[y",
            "x@{1}",
            "x@y",
            "x\\y",
            "x\n",
            "x;y",
            "$x",
            "`x`",
            "ü",
            "b" * 201,
        ),
        *("0123456789abcdef0123456789abcdef01234567", "x\x7f", "x'y", 'x"y', "x#y", "x{{y}}"),
    ],
)
def test_what_is_no_branch_is_refused_in_one_line(branch):
    with pytest.raises(InputError, match=r"^--branch .* is not a branch") as caught:
        Destination.parse("ada/homework", branch)
    assert "\n" not in str(caught.value)
