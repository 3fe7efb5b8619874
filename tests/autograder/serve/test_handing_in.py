"""Handing in: once, in time, not too often, by its student alone, and bounded before it is read."""

import hashlib

import nbformat
import pytest
from small_class import NOON, notebook
from sqlalchemy import select

from autograder import course
from autograder.serve import bounds, queue, receipts, tokens
from autograder.serve.bounds import Requests
from autograder.serve.receiving import RefusedError
from autograder.serve.sources import source_of
from autograder.serve.tables import Content, Submission, Token

DIGEST = hashlib.sha256(notebook()).hexdigest()


def test_from_the_queue_to_the_verdict(here):
    first, second = here.send("ada", notebook()), here.send("bob", notebook())
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["place"] == 1 and first.json()["line"] == "is next"
    assert second.json()["place"] == 2 and second.json()["line"] == "waits, 1 before it"
    claimed = here.claim()
    assert (claimed.student, claimed.data, claimed.digest) == ("ada", notebook(), DIGEST)
    assert here.get("ada", f"assignments/little/submissions/{DIGEST}").json()["state"] == "running"
    assert here.get("bob", f"assignments/little/submissions/{DIGEST}").json()["place"] == 1
    assert here.keep(claimed, ("pass", ""), ("fail", "Divide by n."), ("manual", ""))
    found = here.get("ada", f"assignments/little/submissions/{DIGEST}").json()
    assert (found["state"], found["place"], found["score"], found["max_score"]) == ("done", 0, 2.0, 4.0)
    assert [(item["exercise"], item["verdict"], item["message"]) for item in found["exercises"]] == [
        ("part_0", "pass", ""),
        ("part_1", "fail", "Divide by n."),
        ("part_2", "manual", ""),
    ]
    assert all(item["mistake"] is None for item in found["exercises"]), "the name of a mistake is for instructors"


def test_what_changed_since_the_last_try(here):
    here.send("ada", notebook())
    here.grade(("pass", ""), ("fail", "No."), ("fail", "No."))
    here.send("ada", notebook("better"))
    here.grade(("pass", ""), ("pass", ""), ("error", "Oh."))
    last, first = here.get("ada", "assignments/little/submissions").json()
    assert [item["was"] for item in last["exercises"]] == [None, "fail", "fail"]
    assert [item["was"] for item in first["exercises"]] == [None, None, None]


def test_the_same_notebook_is_the_same_submission(here):
    first, again = here.send("ada", notebook()), here.send("ada", notebook())
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    here.grade()
    assert here.send("ada", notebook()).json()["state"] == "done"
    assert here.claim() is None
    with here.service.database.reading() as session:
        assert len(session.scalars(select(Submission)).all()) == 1


def test_each_ending_is_written_once(here):
    """A worker that was taken for dead, and answers after all, changes nothing."""
    here.send("ada", notebook())
    lost = here.claim()
    with here.service.database.writing() as session:
        queue.requeue_running(session)
    again = here.claim()
    assert (lost.attempt, again.attempt) == (1, 2)
    assert not here.keep(lost, ("fail", "by the lost one"))
    assert here.keep(again, ("pass", "")) and not here.keep(again, ("fail", "twice"))
    (found,) = here.get("ada", "assignments/little/submissions").json()
    assert [item["verdict"] for item in found["exercises"]] == ["pass"]


def test_what_ends_the_server_again_and_again_is_set_aside(here):
    here.send("ada", notebook())
    for _ in range(queue.MOST_ATTEMPTS):
        assert here.claim()
        with here.service.database.writing() as session:
            queue.requeue_running(session)
    assert here.claim() is None
    told = here.get("ada", f"assignments/little/submissions/{DIGEST}").json()
    assert told["state"] == "fault" and "nothing is lost" in told["line"]
    again = here.client.post("/api/class/little/faults", headers=here.as_("instructor"))
    assert again.json()["waiting"] == 1 and here.claim().attempt == 1


def test_a_notebook_on_which_the_grader_fails_is_a_try_of_the_hour(here, course_root):
    (course_root / "course.toml").write_text("[serve]\ntries_per_hour = 2\ntries = 2\n")
    for number in range(2):
        here.send("ada", notebook(str(number)))
        with here.service.database.writing() as session:
            assert queue.fail(session, queue.claim(session, ["little"]), "was stopped")
    assert here.send("ada", notebook("2")).status_code == 429
    here.now += 3601
    assert here.send("ada", notebook("2")).status_code == 201, "none of all tries"


def test_nobodys_tries_keep_more_than_one_worker_from_others(here):
    for number in range(3):
        here.send("ada", notebook(str(number)))
    here.send("bob", notebook("b"))
    places = [item["place"] for item in here.get("ada", "assignments/little/submissions").json()]
    assert places == [4, 3, 1] and here.get("bob", "assignments/little/submissions").json()[0]["place"] == 2
    first, second = here.claim(), here.claim()
    assert (first.student, second.student) == ("ada", "bob") and here.claim() is None
    assert here.keep(first, ("fail", "")) and here.claim().student == "ada"


def test_a_crew_that_failed_is_none_of_a_submissions_doing(here):
    here.send("ada", notebook())
    for _ in range(queue.MOST_ATTEMPTS + 1):
        assert here.claim().attempt == 1
        with here.service.database.writing() as session:
            queue.give_back(session)


def test_what_is_not_served_any_more_waits(here):
    here.send("ada", notebook())
    here.service.assignments = ["other"]
    assert here.claim() is None
    here.service.assignments = ["little"]
    assert here.claim()


def test_a_notebook_of_another_assignment_is_told_so(here):
    here.send("ada", notebook())
    with here.service.database.writing() as session:
        assert queue.refuse(session, queue.claim(session, ["little"]), "holds none of the cells of little")
    told = here.get("ada", f"assignments/little/submissions/{DIGEST}").json()
    assert (told["state"], told["line"], told["score"]) == ("refused", "holds none of the cells of little", None)


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "é", "\x7f"])
def test_a_wrong_token_opens_nothing(here, token):
    headers = {"authorization": f"Bearer {token}".encode()}
    answers = [
        here.client.post("/api/assignments/little/submissions", content=notebook(), headers=headers),
        here.client.get("/api/me", headers=headers),
        here.client.get("/api/class/little", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert here.claim() is None


def test_no_student_sees_anothers(here):
    here.send("ada", notebook())
    assert here.get("bob", f"assignments/little/submissions/{DIGEST}").status_code == 404
    assert here.get("bob", "assignments/little/submissions").json() == []
    for path in ("class/little", "class/little/students/ada"):
        assert here.get("bob", path).status_code == 403
    assert (
        here.client.put("/api/class/little/doors", json={"is_open": False}, headers=here.as_("bob")).status_code == 403
    )
    assert here.send("instructor", notebook()).status_code == 403


def test_a_token_that_was_revoked_opens_nothing_and_its_digest_is_all_that_is_kept(here):
    with here.service.database.writing() as session:
        kept = session.scalars(select(Token)).all()
        assert not {token.digest for token in kept} & set(here.tokens.values()) and len(here.tokens["ada"]) == 43
        tokens.revoke(session, ["ada"], NOON)
        ((role, account, _, new),) = tokens.issue_missing(session, NOON)
    assert (role, account) == ("student", "ada")
    assert here.get("ada", "me").status_code == 401 and here.get(new, "me").json()["student"] == "ada"


def test_bytes_are_bounded_before_they_are_read(here):
    most = 20 * 2**20
    said = here.send("ada", b"", **{"content-length": str(most + 1)})
    assert said.status_code == 413 and "clear its largest outputs" in said.json()["detail"]
    sent = here.client.post(
        "/api/assignments/little/submissions",
        content=(b"x" * 2**20 for _ in range(21)),  # without saying how much
        headers=here.as_("ada"),
    )
    assert sent.status_code == 413 and here.claim() is None


def test_json_is_bounded_before_it_is_read(here):
    """Also of whoever shows no token: FastAPI reads it first."""
    operations = [
        (path, method)
        for path, found in here.client.get("/openapi.json").json()["paths"].items()
        for method, operation in found.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert operations
    for path, method in operations:
        sent = []

        def pieces(sent=sent):
            for _ in range(100):
                sent.append(b" " * 2048)
                yield sent[-1]

        headers = {"content-type": "application/json"}
        answer = here.client.request(method, path, content=pieces(), headers=headers)
        assert (answer.status_code, answer.json()) == (413, {"detail": "this is larger than any form here"})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b'{"cells": 3}', "JSON without cells"),
        (notebook()[:-5], "cut off"),
        (b'{"cells": ' + b"[" * 200 + b"]" * 200 + b"}", "nested too deep"),
        (b"\xff\xfe\xfd", "UTF"),
    ],
)
def test_what_is_no_notebook_is_one_line(here, data, said):
    answer = here.send("ada", data)
    assert answer.status_code == 422 and said in answer.json()["detail"]
    assert len(answer.json()["detail"].splitlines()) == 1 and here.claim() is None


def test_tries_are_counted_by_the_hour(here):
    assert [here.send("ada", notebook(str(n))).status_code for n in range(7)] == [201] * 6 + [429]
    refused = here.send("ada", notebook("7"))
    assert refused.headers["retry-after"] == "3600" and "6 tries an hour" in refused.json()["detail"]
    assert here.send("ada", notebook("3")).status_code == 200, "the same submission is no try"
    assert here.send("bob", notebook("7")).status_code == 201
    here.now += 3601
    assert here.send("ada", notebook("7")).status_code == 201


def test_requests_are_bounded():
    now = [0.0]
    requests = Requests(lambda: now[0])
    for _ in range(bounds.BURST):
        requests.count("ada")
    with pytest.raises(RefusedError):
        requests.count("ada")
    requests.count("bob")
    now[0] += 1
    for _ in range(3):
        requests.count("ada")


def test_so_many_bytes_are_on_their_way_as_fit_and_one_notebook_of_each_student(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_UPLOADS", 10)
    uploads = bounds.Uploads()
    with uploads.one_of("ada", 6), uploads.one_of("bob", 4):
        with pytest.raises(RefusedError, match="another notebook of yours"), uploads.one_of("ada", 0):
            pass
        with pytest.raises(RefusedError, match="too many notebooks"), uploads.one_of("eve", 1):
            pass
    with uploads.one_of("eve", 10):
        pass


def test_what_is_large_counts_as_many_requests(here, monkeypatch):
    """Also if it is no notebook, and so no try."""
    monkeypatch.setattr(bounds, "BURST", 5)
    monkeypatch.setattr(bounds, "PER_SECOND", 0.01)  # however slow this machine is
    assert here.send("ada", b" " * (3 << 20)).status_code == 422
    answers = [here.get("ada", "me").status_code for _ in range(3)]
    assert answers == [200, 429, 429] and here.get("bob", "me").status_code == 200


def test_too_many_requests_of_one_person_are_refused_and_cost_nobody_else(here, monkeypatch):
    monkeypatch.setattr(bounds, "BURST", 5)
    answers = [here.get("ada", "me") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200, 429} and answers[-1].headers["retry-after"] == "1"
    assert here.get("bob", "me").status_code == 200


def test_the_bytes_lie_in_the_database_when_it_is_acknowledged(here):
    assert here.send("ada", notebook()).status_code == 201
    with here.service.database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    with here.service.database.reading() as session:
        assert session.scalars(select(Content)).one().notebook


def test_a_receipt_can_be_checked_later(here, tmp_path):
    given = here.send("ada", notebook()).json()["receipt"]
    assert (given["student"], given["digest"], given["received"]) == ("ada", DIGEST, "2027-01-15T08:00:00.000000+00:00")
    genuine = receipts.Receipt(**given)
    assert receipts.is_genuine(b"k" * 32, genuine) and not receipts.is_genuine(b"x" * 32, genuine)
    for field, value in (("received", "2027-01-14T08:00:00.000000+00:00"), ("student", "bob"), ("signature", "é")):
        assert not receipts.is_genuine(b"k" * 32, genuine.model_copy(update={field: value}))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("opens = 2027-01-15T10:00:00", "little opens 2027-01-15 10:00 UTC"),
        ("closes = 2027-01-14", "little closed 2027-01-14 23:59 UTC; ask your instructor"),
        ("opens = 2027-01-15", None),
        ("closes = 2027-01-15", None),
        ("serve = { tries = 1 }", None),
    ],
)
def test_the_doors_are_as_course_toml_says(here, course_root, rules, said):
    (course_root / "course.toml").write_text(f'time_zone = "UTC"\n[assignments.little]\n{rules}\n')
    answer = here.send("ada", notebook())
    if said:
        assert answer.status_code == 403 and said in answer.json()["detail"] and here.claim() is None
    else:
        assert answer.status_code == 201


def test_an_extension_holds_the_doors_open_and_tries_end(here, course_root):
    (course_root / "course.toml").write_text(
        'time_zone = "UTC"\n[assignments.little]\ndue = 2027-01-13\ncloses = 2027-01-14\nserve = { tries = 2 }\n'
        "[assignments.little.extensions]\nada = 2027-01-20\n"
    )
    assert here.send("bob", notebook()).status_code == 403
    assert [here.send("ada", notebook(str(n))).status_code for n in range(3)] == [201, 201, 403]
    assert here.get("ada", "me").json()["assignments"][0]["line"] == "open until 2027-01-20 23:59 UTC"


def test_rules_that_become_wrong_change_nothing_but_are_told(here, course_root):
    (course_root / "course.toml").write_text("[assignments.litle]\n")
    assert here.send("ada", notebook()).status_code == 201
    (trouble,) = here.get("instructor", "class/little").json()["trouble"]
    assert trouble.startswith("course.toml:1: assignments.litle: there is no such assignment")


@pytest.mark.parametrize(
    ("told", "score", "verdicts", "messages"),
    [("nothing", None, [], []), ("verdict", 0.0, ["fail"], [""]), ("message", 0.0, ["fail"], ["Divide by n."])],
)
def test_how_much_is_told(here, course_root, told, score, verdicts, messages):
    (course_root / "course.toml").write_text(f'[serve]\ntold = "{told}"\n')
    here.send("ada", notebook())
    here.grade(("fail", "Divide by n."))
    found = here.get("ada", f"assignments/little/submissions/{DIGEST}").json()
    assert found["score"] == score
    assert [item["verdict"] for item in found["exercises"]] == verdicts
    assert [item["message"] for item in found["exercises"]] == messages
    ((all),) = here.get("instructor", "class/little/students/ada").json()
    assert all["exercises"][0]["message"] == "Divide by n." and all["exercises"][0]["mistake"]


def test_no_more_wrong_answers_to_an_exercise_are_told_of_than_course_toml_says(here, course_root):
    (course_root / "course.toml").write_text("[serve]\ntries_per_exercise = 2\n")
    tries = [("fail", "A"), ("fail", "A"), ("error", "B"), ("pass", "C"), ("fail", "A"), ("missing", "")]
    for number, (verdict, answer) in enumerate(tries):
        here.send("ada", notebook(str(number)))
        here.grade((verdict, ""), ("pass", ""), answers={"little.part_0": answer})
    found = here.get("ada", "assignments/little/submissions").json()[::-1]
    assert [item["exercises"][0]["verdict"] for item in found] == ["fail", "fail", "error", "untold", "fail", "missing"]
    untold = found[3]["exercises"][0]
    assert untold["score"] is None and untold["meaning"] == "not told: 2 wrong answers to it were told of"
    assert [item["score"] for item in found] == [2.0] * 6, "nor does the sum tell of it"
    assert found[4]["exercises"][0]["was"] is None
    last = here.get("instructor", "class/little/students/ada").json()[2]
    assert last["exercises"][0]["verdict"] == "pass" and last["score"] == 4.0


def test_an_instructor_closes_the_doors(here):
    closed = here.client.put("/api/class/little/doors", json={"is_open": False}, headers=here.as_("instructor"))
    assert closed.status_code == 200
    assert "closed at the moment" in here.send("ada", notebook()).json()["detail"]
    here.client.put("/api/class/little/doors", json={"is_open": True}, headers=here.as_("instructor"))
    assert here.send("ada", notebook()).status_code == 201


def test_hints_unlock_after_wrong_answers_and_instructors_see_how_often(here, course_root):
    hint = "<details>\n<summary>Hint for <code>part_0</code>: {}</summary>\n\nAt the\nsum.\n\n</details>"
    cell = nbformat.v4.new_markdown_cell("\n\n".join(map(hint.format, ("where to look", "which rule"))))
    here.service.sources = {"little": source_of(nbformat.v4.new_notebook(cells=[cell]))}
    (course_root / "course.toml").write_text('[serve]\ntold = "hint"\nhint_after = 2\ntries_per_hour = 9\n')
    tries = [("fail", "A"), ("fail", "A"), ("error", "B"), ("missing", ""), ("fail", "C"), ("fail", "D"), ("pass", "E")]
    for number, (verdict, answer) in enumerate(tries):
        here.send("ada", notebook(str(number)))
        here.grade((verdict, "No."), ("fail", "No."), answers={"little.part_0": answer})
    found = here.get("ada", "assignments/little/submissions").json()[::-1]
    first, second = "where to look: At the sum.", "which rule: At the sum."
    assert [item["exercises"][0]["hints"] for item in found] == [[], [], [first], [], [first], [first, second], []]
    assert all(item["exercises"][1]["hints"] == [] and item["exercises"][1]["message"] for item in found)
    seen = here.get("instructor", "class/little").json()
    assert [(item["hints"], item["hinted"]) for item in seen["exercises"]] == [(2, 1), (0, 0)]
    (course_root / "course.toml").write_text('[serve]\ntold = "message"\n')
    assert not any(item["exercises"][0]["hints"] for item in here.get("ada", "assignments/little/submissions").json())


def test_the_hints_are_those_of_the_notebook():
    source = nbformat.read(course.ROOT / "source" / "vae" / "vae.ipynb", 4)
    found = source_of(source).hints
    written = sum(cell.source.count("<summary>Hint for") for cell in source.cells)
    assert sum(map(len, found.values())) == written > 20
    assert found["score_function_gradient"][0].startswith("where to look: Only the density is differentiated, at")
