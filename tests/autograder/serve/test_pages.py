"""The pages in a browser: who sees what, from where a form may come, and that nothing in them runs."""

import json
import re

import nbformat
import pytest
import toy_course
from small_class import HTTPS, notebook

from autograder.serve.changing import _lines
from autograder.serve.sources import source_of
from autograder.serve.tokens import Person, revoke

HOSTILE = "<script>alert(1)</script>"


def sign_in(here, who: str) -> None:
    answer = here.client.post("/login", data={"token": here.tokens[who]}, headers={"origin": HTTPS})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict"))


def test_a_student_reads_their_tries_and_nobody_elses(here):
    here.send("bob", notebook())
    here.grade(("fail", "Bob's."))
    here.send("ada", notebook("1"))
    here.grade(("fail", "Divide by n."), ("manual", ""))
    here.send("ada", notebook("2"))
    here.grade(("pass", ""), ("manual", ""))
    here.send("ada", notebook("3"))
    assert "Your token" in here.client.get("/me").text
    sign_in(here, "ada")
    assert here.client.get("/").headers["location"] == "/me"
    mine = here.client.get("/me").text
    assert mine.count('href="/me/little/') == 3 and "2 of 2" in mine and "is next" in mine
    assert 'http-equiv="refresh"' in mine  # something waits
    links = re.findall(r'href="(/me/little/\w+)"', mine)
    second, first = (here.client.get(link).text for link in links[1:])
    assert "was: wrong answer" in second and "Divide by n." in first and "name_of_a_mistake" not in first
    assert 'http-equiv="refresh"' not in first
    with here.service.database.reading():
        pass
    (bobs,) = here.get("bob", "assignments/little/submissions").json()
    assert here.client.get(f"/me/little/{bobs['digest']}").status_code == 404
    for path in ("/class/little", "/class/little/bob", f"/class/little/bob/{bobs['digest']}"):
        assert here.client.get(path).status_code == 403 and "Bob's." not in here.client.get(path).text


def test_an_instructor_sees_the_class_as_it_works(here, course_root):
    (course_root / "course.toml").write_text('time_zone = "Europe/Berlin"\n')
    for number in range(3):
        here.send("ada", notebook(str(number)))
        here.grade(("fail", "Divide by n."), ("pass", ""))
    here.send("bob", notebook())
    here.grade(("pass", ""), ("error", "It stops."))
    sign_in(here, "instructor")
    assert here.client.get("/").headers["location"] == "/class/little"
    page = " ".join(here.client.get("/class/little").text.split())
    assert "2 of 2 students have handed in. 0 waiting, 0 being graded." in page
    rows = [re.sub(r"<[^>]*>", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", page)]
    assert ["part_", "0", "1", "50", "%", "0", "1"] in rows  # ada is stuck
    assert ["part_", "1", "1", "50", "%", "1", "0"] in rows  # bob is trying
    (bars,) = re.findall(r'<svg class="arrivals".*?</svg>', page)
    assert re.findall(r'<rect x="([\d.]+)" y="\d+" width="0.8" height="(\d+)"><title>([^<]*)', bars) == [
        ("0.1", "4", "2027-01-15 09:00 CET: 4")
    ]
    assert "<b>1 × part_0</b>: Divide by n." in page and "2027-01-15 09:00 CET, done" in page
    assert here.client.get("/class/little/ada").text.count('href="/class/little/ada/') == 3
    link = re.search(r'href="(/class/little/ada/\w+)"', here.client.get("/class/little/ada").text)
    assert link and "known mistake: name_of_a_mistake" in here.client.get(link[1]).text
    assert here.client.get("/class/little/eve").status_code == 404


def test_the_doors_are_closed_from_the_page_and_from_nowhere_else(here):
    sign_in(here, "instructor")
    for origin in (
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://judge.example.evil"},
    ):
        answer = here.client.post("/class/little/doors", data={"doors": "closed"}, headers=origin)
        assert answer.status_code == 403
    assert here.send("ada", notebook()).status_code == 201
    closing = here.client.post("/class/little/doors", data={"doors": "closed"}, headers={"origin": HTTPS})
    assert closing.status_code == 303 and "You have closed the doors" in here.client.get("/class/little").text
    assert here.send("bob", notebook()).status_code == 403
    sign_in(here, "ada")
    opening = here.client.post("/class/little/doors", data={"doors": "open"}, headers={"origin": HTTPS})
    assert opening.status_code == 403 and here.send("bob", notebook()).status_code == 403


def test_signing_in_and_out(here):
    wrong = here.client.post("/login", data={"token": "guess"}, headers={"origin": HTTPS})
    assert wrong.status_code == 403 and "set-cookie" not in wrong.headers
    assert here.client.post("/login", data={"token": here.tokens["ada"]}).status_code == 403
    large = here.client.post("/login", content=b"token=" + b"x" * 5000, headers={"origin": HTTPS})
    assert large.status_code == 413
    sign_in(here, "ada")
    here.client.post("/logout", headers={"origin": HTTPS})
    assert "Your token" in here.client.get("/me").text
    sign_in(here, "ada")
    with here.service.database.writing() as session:
        revoke(session, ["ada"], here.now)
    assert "Your token" in here.client.get("/me").text


@pytest.mark.parametrize("path", ["/", "/me", "/style.css", "/nowhere", "/api/me", "/openapi.json"])
def test_every_answer_forbids_scripts_frames_and_copies(here, path):
    headers = here.client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"


def test_whatever_a_message_holds_is_text(here):
    here.send("ada", notebook())
    here.grade(("fail", HOSTILE), ("error", "\x1b[31mred\u202e"))
    sign_in(here, "instructor")
    (told,) = here.get("ada", "assignments/little/submissions").json()
    for path in ("/class/little", f"/class/little/ada/{told['digest']}"):
        text = here.client.get(path).text
        assert HOSTILE not in text and "&lt;script&gt;" in text
        assert "\x1b" not in text and "\u202e" not in text
    assert "<script" not in here.client.get(f"/class/{HOSTILE}").text


def test_an_extension_is_given_on_the_page_and_opens_the_doors(here, course_root):
    rules = course_root / "course.toml"
    rules.write_text('time_zone = "UTC"\n[assignments.little]\ndue = 2027-01-13\ncloses = 2027-01-14\n')
    sign_in(here, "instructor")
    page = here.client.get("/class/little/ada").text
    assert "Due 2027-01-13 23:59 UTC; the doors close 2027-01-14 23:59 UTC." in page
    where = {"url": "/class/little/ada/extension", "data": {"until": "2027-01-20"}}
    assert here.client.post(**where, headers={"origin": "https://evil.example"}).status_code == 403
    assert here.send("ada", notebook()).status_code == 403
    assert here.client.post(**where, headers={"origin": HTTPS}).headers["location"] == "/class/little/ada"
    assert "Due 2027-01-20 23:59 UTC; the doors close 2027-01-20" in here.client.get("/class/little/ada").text
    assert "ada = 2027-01-20  # given on the page, 2027-01-15 08:00 UTC\n" in rules.read_text()
    assert here.send("ada", notebook()).status_code == 201 and here.send("bob", notebook()).status_code == 403
    refused = [
        here.client.post("/class/little/eve/extension", data=where["data"], headers={"origin": HTTPS}),
        here.client.post("/class/little/ada/extension", data={"until": "soon"}, headers={"origin": HTTPS}),
        here.client.post("/class/little/ada/extension", data={"until": "2027-01-02"}, headers={"origin": HTTPS}),
    ]
    assert [answer.status_code for answer in refused] == [404, 422, 422]
    assert "assignments.little.extensions.ada: is before the due date" in refused[2].text
    sign_in(here, "ada")
    assert here.client.post(**where, headers={"origin": HTTPS}).status_code == 403


def called_part_0(notebook) -> str:
    return json.dumps(notebook).replace("double", "part_0")


def test_what_changed_in_an_answer_is_shown_to_its_student_and_instructors(here):
    here.service.sources = {"little": source_of(nbformat.from_dict(json.loads(called_part_0(toy_course.source()))))}
    bodies = ["x = x + 2\n    return x", "x = 2 * x\n    return x", "x = 2 * x\n    return x"]
    for body in bodies:
        here.send("ada", notebook(str(len(here.get("ada", "assignments/little/submissions").json()))))
        executed = called_part_0(toy_course.submission(double=body, why=HOSTILE + body[:5]))
        here.grade(("fail", "No."), executed=executed)
    tries = [item["digest"] for item in here.get("ada", "assignments/little/submissions").json()][::-1]
    found = here.service.changed(Person(1, "ada"), "little", tries[1])
    assert [(line.mark, line.text.strip()) for line in found["part_0"]] == [
        ("…", ""),
        (" ", "# exercise: part_0"),
        (" ", "def part_0(x):"),
        ("-", "x = x + 2"),
        ("+", "x = 2 * x"),
        (" ", "return x"),
    ]
    assert found.keys() == {"part_0", "why"}
    for who, path in (("ada", "/me/little"), ("instructor", "/class/little/ada")):
        sign_in(here, who)
        first, second, third = (here.client.get(f"{path}/{digest}").text for digest in tries)
        assert "What changed" not in first + third and '<span class="added">+     x = 2 * x</span>' in second
        assert HOSTILE not in second


def test_answers_that_take_long_to_compare_are_compared_where_they_begin_to_differ():
    """The whole texts would take a minute of the server's time, each time that a page is loaded."""
    words = [f"{number % 110}." for number in range(3000)]
    spaced = [line for word in words[:1500] for line in (word, "#")]
    lines = _lines("\n".join(["same"] * 50 + words), "\n".join(["same"] * 50 + spaced))
    assert 100 < len(lines) < 300 and lines[-1].mark == "…"
    assert lines[:4] == [("…", ""), (" ", "same"), (" ", "0."), ("+", "#")]
    assert [mark for mark, _ in _lines("a\nb\nc\nd", "a\nb\nc\nD")] == ["…", " ", " ", "-", "+"]


@pytest.mark.parametrize(
    ("hours", "each", "places"),
    [
        ([0.0, 0.01, 1.0], "five minutes", {0: 2, 12: 1}),
        ([0.0, 30.0], "an hour", {0: 1, 30: 1}),
        ([0.0, 24.0 * 13], "six hours", {0: 1, 52: 1}),
        ([0.0, 24.0 * 400], "a week", {0: 1, 57: 1}),
    ],
)
def test_bars_are_as_short_as_fit(here, course_root, hours, each, places):
    (course_root / "course.toml").write_text("[serve]\ntries_per_hour = 9\n")
    for number, hour in enumerate(hours):
        here.now = 1_800_000_000.0 + 3600 * hour
        here.send("ada", notebook(str(number)))
    found = here.get("instructor", "class/little").json()["arrivals"]
    assert found["each"] == each
    assert {place: count for place, count in enumerate(found["counts"]) if count} == places
