"""Everything graded again: who would have other points is seen first, and nothing counts before it is applied."""

import pytest
from small_class import HTTPS, NOON, notebook
from sqlalchemy import select
from test_pages import sign_in

from autograder.errors import InputError
from autograder.points.rules import read_rules
from autograder.results.reading import read_results
from autograder.serve import queue, regrading
from autograder.serve.counting import write_results
from autograder.serve.tables import Event, Regrading


def test_who_would_have_other_points_is_seen_before_it_counts(here, tmp_path):
    for who, verdict in (("ada", "fail"), ("bob", "pass")):
        here.send(who, notebook(who))
        here.grade((verdict, "No." if verdict == "fail" else ""), ("pass", ""))
    sign_in(here, "instructor")
    assert "Grade all tries again" in here.client.get("/regrading/little").text
    wanted = {"url": "/regrading/little", "headers": {"origin": HTTPS}}
    assert here.client.post("/regrading/little", data={"wanted": "grade"}).status_code == 403
    here.client.post(**wanted, data={"wanted": "grade"})
    assert here.service.read_anew.is_set()
    here.send("bob", notebook("new"))
    first = here.claim()
    assert (first.student, first.is_again) == ("bob", False), "what is new goes first"
    assert here.keep(first, ("fail", "No."), ("pass", ""))
    here.grade(("pass", ""), ("pass", ""))
    page = here.client.get("/regrading/little").text
    assert "1 of 2 tries are graded again" in page and 'value="apply"' not in page and "refresh" in page
    assert here.client.post(**wanted, data={"wanted": "apply"}).status_code == 409
    here.grade(("fail", "No."), ("pass", ""))
    seen = here.get("instructor", "class/little/regrading").json()
    assert [(item["account"], item["before"], item["after"]) for item in seen["points"]] == [("ada", 2.0, 4.0)]
    assert seen["changes"] == ["part_0: fail 0 → pass 2, because of an unknown cause: 1: ada", "1 changed, 1 the same"]
    page = " ".join(here.client.get("/regrading/little").text.split())
    assert "Ada L." in page and "<td>2</td><td>4</td><td>4</td>" in page
    assert here.get("ada", "assignments/little/submissions").json()[0]["score"] == 2.0
    assert here.client.post(**wanted, data={"wanted": "apply"}).headers["location"] == "/class/little"
    assert here.get("ada", "assignments/little/submissions").json()[0]["score"] == 4.0
    with here.service.database.reading() as session:
        write_results(session, read_rules("little"), tmp_path / "out")
        assert session.scalars(select(Event.kind)).all() == ["graded again"]
        assert session.scalars(select(Regrading)).all() == []
    assert [item.score for item in read_results(tmp_path / "out").run.submissions] == [4.0, 2.0]


def test_what_is_forgotten_or_cannot_be_graded_again_keeps_what_it_has(here):
    for who in ("ada", "bob"):
        here.send(who, notebook(who))
        here.grade(("pass", ""))
    url, headers = "/api/class/little/regrading", here.as_("instructor")
    assert here.client.post(f"{url}/apply", headers=headers).status_code == 409, "nothing was asked for"
    here.client.post(url, headers=headers)
    lost = here.claim()
    with here.service.database.writing() as session:
        queue.requeue_running(session)
    again = here.claim()
    assert (lost.attempt, again.attempt, again.is_again) == (1, 2, True)
    assert not here.keep(lost, ("fail", "by the lost one"))
    with here.service.database.writing() as session:
        assert queue.fail(session, again, "no kernel starts")
    here.grade(("error", "Oh."))
    seen = here.get("instructor", "class/little/regrading").json()
    assert (seen["done"], seen["faults"], seen["reasons"]) == (1, 1, ["no kernel starts"])
    assert here.client.delete(url, headers=headers).json()["total"] == 0
    assert here.claim() is None
    here.client.post(url, headers=headers)
    with here.service.database.writing() as session:
        assert queue.fail(session, queue.claim(session, ["little"]), "no kernel starts")
    here.now = NOON + 60
    here.grade(("error", "Oh."))
    assert here.client.post(f"{url}/apply", headers=headers).status_code == 200
    scores = [here.get(who, "assignments/little/submissions").json()[0]["score"] for who in ("ada", "bob")]
    assert scores == [2.0, 0.0]
    for method, path in (("get", url), ("post", url), ("delete", url), ("post", f"{url}/apply")):
        assert getattr(here.client, method)(path, headers=here.as_("ada")).status_code == 403


def test_what_was_let_count_does_whenever_the_server_ends_and_keeps_no_student_waiting(here, tmp_path, monkeypatch):
    monkeypatch.setattr(regrading, "AT_ONCE", 1)
    for number in range(4):
        here.send("ada", notebook(str(number)))
        here.grade(("fail", "No."))
    url, headers = "/api/class/little/regrading", here.as_("instructor")
    here.client.post(url, headers=headers)
    for _ in range(4):
        here.grade(("pass", ""))

    def scores() -> list[float]:
        return [item["score"] for item in here.get("ada", "assignments/little/submissions").json()[-4:]]

    with here.service.database.writing() as session:
        regrading.let_count(session, "little", NOON)
        assert regrading.put_in_place(session, ["little"])
    assert scores() == [0.0, 0.0, 0.0, 2.0], "the server ended in the middle"
    assert here.send("ada", notebook("meanwhile")).status_code == 201
    with (
        pytest.raises(InputError, match="little: what was graded again takes its place"),
        here.service.database.reading() as session,
    ):
        write_results(session, read_rules("little"), tmp_path / "out")
    assert here.get("instructor", "class/little/regrading").json()["total"] == 0
    assert here.client.delete(url, headers=headers).status_code == 200, "too late"
    assert scores() == [2.0] * 4 and not here.service.put_in_place()
    with here.service.database.reading() as session:
        assert session.scalars(select(Regrading)).all() == []


@pytest.mark.parametrize(("wanted", "left"), [("post", 2), ("delete", 0)])
def test_what_one_has_let_count_another_does_not_forget(here, monkeypatch, wanted, left):
    for who in ("ada", "bob"):
        here.send(who, notebook(who))
        here.grade(("fail", "No."))
    url, headers = "/api/class/little/regrading", here.as_("instructor")
    here.client.post(url, headers=headers)
    for _ in range(2):
        here.grade(("pass", ""))
    with here.service.database.writing() as session:
        regrading.let_count(session, "little", NOON)
    monkeypatch.setattr(here.service, "put_in_place", lambda: None)  # it was, just before
    getattr(here.client, wanted)(url, headers=headers)
    assert [here.get(who, "assignments/little/submissions").json()[0]["score"] for who in ("ada", "bob")] == [2.0] * 2
    assert here.get("instructor", "class/little/regrading").json()["total"] == left
