"""The pages in a browser: a student's history and one try, an instructor's class. They need no script."""

import functools
from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import parse_qs, quote, urlsplit

import jinja2
from fastapi import APIRouter, Depends, Request
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from autograder.points.late import shown
from autograder.reports.html import templates_in
from autograder.results import text
from autograder.serve.bounds import MOST_FORM, Requests, body_of
from autograder.serve.overview import overview
from autograder.serve.receiving import RefusedError
from autograder.serve.service import Service
from autograder.serve.strangers import is_known
from autograder.serve.telling import SubmissionTold
from autograder.serve.tokens import Person

HERE = Path(__file__).resolve().parent
COOKIE = "fixmelab"
AGAIN_AFTER = 5  # seconds, while something waits
OF_CLASS_AFTER = 30


class LoginError(Exception):
    """Nobody is signed in: the page that asks for a token follows."""


def make_pages(service: Service) -> APIRouter:
    """The routes of the pages."""
    requests = Requests()

    def anybody(request: Request) -> Person:
        person = service.person(request.cookies.get(COOKIE, ""))
        if person is None:
            raise LoginError
        is_known(request)
        requests.count(person)
        return person

    async def student(person: Annotated[Person, Depends(anybody)]) -> Person:
        if person.is_instructor:
            raise RefusedError(403, "this page is a student's")
        return person

    async def instructor(person: Annotated[Person, Depends(anybody)]) -> Person:
        if not person.is_instructor:
            raise RefusedError(403, "this page is for instructors")
        return person

    Student: TypeAlias = Annotated[Person, Depends(student)]
    Instructor: TypeAlias = Annotated[Person, Depends(instructor)]
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def start(person: Annotated[Person, Depends(anybody)]) -> Response:
        return _to(f"/class/{service.assignments[0]}" if person.is_instructor else "/me")

    @pages.post("/login")
    async def login(request: Request) -> Response:
        require_same_origin(request)
        token = (await _field(request, "token")).strip()
        if await run_in_threadpool(service.person, token) is None:
            return page("login.html.jinja", status=403, line="This token is not valid; check that you copied it whole.")
        answer = _to("/")
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, token, max_age=30 * 86400, httponly=True, samesite="strict", secure=secure)
        return answer

    @pages.post("/logout")
    def logout(request: Request) -> Response:
        require_same_origin(request)
        answer = _to("/")
        answer.delete_cookie(COOKIE)
        return answer

    @pages.get("/me")
    def me(person: Student) -> Response:
        tries = {item.name: service.history(person, item.name) for item in service.standing(person)}
        return page(
            "me.html.jinja",
            person=person,
            standing=service.standing(person),
            tries=tries,
            zone=service.zone,
            again=_again(item for items in tries.values() for item in items),
        )

    @pages.get("/me/{assignment}/{digest}")
    def one_try(assignment: str, digest: str, person: Student) -> Response:
        return _try(service, person, assignment, digest, "/me")

    @pages.get("/class/{assignment}")
    def class_page(assignment: str, person: Instructor) -> Response:
        service.require(assignment)
        found = overview(service, assignment)
        return page(
            "class.html.jinja",
            person=person,
            found=found,
            due_at=found.arrivals.place(service.dates(assignment, "")[0]),
            names=service.assignments,
            zone=service.zone,
            again=OF_CLASS_AFTER,
        )

    @pages.post("/class/{assignment}/doors")
    async def doors(assignment: str, request: Request, person: Instructor) -> Response:
        require_same_origin(request)
        is_open = await _field(request, "doors") == "open"
        await run_in_threadpool(partial(service.set_doors, assignment, is_open=is_open))
        return _to(f"/class/{quote(assignment)}")

    @pages.post("/class/{assignment}/faults")
    def faults(assignment: str, request: Request, person: Instructor) -> Response:
        require_same_origin(request)
        service.grade_faults_again(assignment)
        return _to(f"/class/{quote(assignment)}")

    @pages.get("/regrading/{assignment}")
    def regrading(assignment: str, person: Instructor) -> Response:
        found = service.regrading(assignment)
        again = AGAIN_AFTER if found.total and not found.is_over else 0
        return page("regrading.html.jinja", person=person, found=found, zone=service.zone, again=again)

    @pages.post("/regrading/{assignment}")
    async def regrade(assignment: str, request: Request, person: Instructor) -> Response:
        require_same_origin(request)
        wanted = await _field(request, "wanted")
        if wanted == "grade":
            await run_in_threadpool(service.regrade, assignment)
        elif wanted in ("apply", "discard"):
            await run_in_threadpool(service.settle_regrading, assignment, is_to_count=wanted == "apply")
        return _to(f"/{'class' if wanted == 'apply' else 'regrading'}/{quote(assignment)}")

    @pages.get("/class/{assignment}/{account}")
    def of_student(assignment: str, account: str, person: Instructor) -> Response:
        tries = service.history(person, assignment, of=account)
        due, closes = service.dates(assignment, account)
        return page(
            "student.html.jinja",
            person=person,
            account=account,
            due=due,
            closes=closes,
            assignment=assignment,
            tries=tries,
            zone=service.zone,
            again=_again(tries),
        )

    @pages.post("/class/{assignment}/{account}/extension")
    async def extension(assignment: str, account: str, request: Request, person: Instructor) -> Response:
        require_same_origin(request)
        until = await _field(request, "until")
        await run_in_threadpool(service.extend, assignment, account, until)
        return _to(f"/class/{quote(assignment)}/{quote(account)}")

    @pages.get("/class/{assignment}/{account}/{digest}")
    def try_of_student(assignment: str, account: str, digest: str, person: Instructor) -> Response:
        return _try(service, person, assignment, digest, f"/class/{quote(assignment)}/{quote(account)}", of=account)

    @pages.get("/style.css")
    def style() -> Response:
        return Response(_style(), media_type="text/css")

    return pages


def _try(
    service: Service, person: Person, assignment: str, digest: str, back: str, *, of: str | None = None
) -> Response:
    """One try of the student, or for an instructor `of` a student."""
    found = service.submission(person, assignment, digest, of=of)
    changed = service.changed(person, assignment, digest, of=of)
    return page(
        "try.html.jinja",
        person=person,
        found=found,
        changed=changed,
        zone=service.zone,
        back=back,
        again=_again([found]),
    )


def require_same_origin(request: Request) -> None:
    """Raise RefusedError unless a form was sent from a page of this server, as the browser says it.

    A browser says where a form comes from, and no page of others can change that (the header Origin, RFC 6454).
    """
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if not host or urlsplit(origin).netloc.lower() != host.lower():
        raise RefusedError(403, "this was not sent from a page of this server; open the page anew")


async def _field(request: Request, name: str) -> str:
    """A field of a form, "" if it is not there."""
    data = await body_of(request, MOST_FORM)
    return parse_qs(data.decode("utf-8", "replace")).get(name, [""])[0]


def page(name: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page of a template. All text in it is escaped."""
    return HTMLResponse(_templates().get_template(name).render(**{"again": 0, "person": None} | values), status)


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303)


def _again(tries: Iterable[SubmissionTold]) -> int:
    """After how many seconds a page is loaded again; 0 if nothing on it will change."""
    return 0 if all(item.is_settled for item in tries) else AGAIN_AFTER


def _time(at: str | float | datetime, zone: tzinfo) -> str:
    if isinstance(at, float):
        at = datetime.fromtimestamp(at, zone)
    return shown((datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(zone))


@functools.cache
def _style() -> str:
    return (HERE / "templates" / "serve.css").read_text(encoding="utf-8")


@functools.cache
def _templates() -> jinja2.Environment:
    environment = templates_in(HERE / "templates")
    environment.filters |= {
        "time": _time,
        "path": lambda part: quote(part, safe=""),
        "breakable": lambda name: escape(name).replace("_", Markup("_<wbr>")),
    }
    environment.globals |= {"symbols": text.SYMBOLS, "meanings": text.MEANINGS}
    return environment
