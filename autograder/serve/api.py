"""The HTTP API that `fixmelab submit` and an instructor's scripts use; /openapi.json describes it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from autograder.serve.bounds import Requests, Small, Uploads, body_of, most_of
from autograder.serve.overview import Overview, overview
from autograder.serve.receiving import RefusedError
from autograder.serve.regrading import RegradingNow
from autograder.serve.service import Service
from autograder.serve.strangers import is_known
from autograder.serve.telling import SubmissionTold
from autograder.serve.tokens import Person

NOTEBOOK: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The notebook as it lies on disk.",
        "content": {
            "application/x-ipynb+json": {
                "schema": {
                    "type": "object",
                    "required": ["cells"],
                    "properties": {"cells": {"type": "array", "items": {"type": "object"}, "maxItems": 2000}},
                }
            }
        },
    }
}
DIGEST = "^[0-9a-f]{64}$"


class Why(BaseModel):
    """Why a request cannot be met: one line."""

    detail: str


class AssignmentHere(BaseModel):
    """An assignment, and whether the student may hand in."""

    name: str
    is_open: bool
    line: str


class Me(BaseModel):
    """Whose token this is."""

    student: str
    is_instructor: bool
    assignments: list[AssignmentHere]


class WhetherOpen(BaseModel):
    """The doors of an assignment; if open, course.toml decides."""

    is_open: bool


class Extension(BaseModel):
    """Until when a student's work is due: a date, whose end counts, or a time, in ISO 8601."""

    until: Annotated[str, Field(max_length=40)]


class Dates(BaseModel):
    """When a student's work is due, and when the doors close for them."""

    due: datetime | None
    closes: datetime | None


Name = Annotated[str, Path(max_length=100)]
Account = Annotated[str, Path(max_length=200)]
Digest = Annotated[str, Path(pattern=DIGEST)]


def _why(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Why} for status in (401, 429, 503, *statuses)}


def make_api(service: Service) -> APIRouter:
    """The routes under /api."""
    requests, uploads, bearer = Requests(), Uploads(), HTTPBearer(auto_error=False)

    def anybody(request: Request, found: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Person:
        person = service.person(found.credentials) if found else None
        if person is None:
            raise RefusedError(401, "this needs a token that is valid: Authorization: Bearer TOKEN")
        is_known(request)
        requests.count(person)
        return person

    async def student(person: Annotated[Person, Depends(anybody)]) -> Person:
        if person.is_instructor:
            raise RefusedError(403, "this is for students; an instructor's token is another")
        return person

    async def instructor(person: Annotated[Person, Depends(anybody)]) -> Person:
        if not person.is_instructor:
            raise RefusedError(403, "this is for instructors")
        return person

    api = APIRouter(prefix="/api", route_class=Small)

    @api.get("/me", responses=_why())
    def me(person: Annotated[Person, Depends(anybody)]) -> Me:
        """Whose token this is, and what they may hand in."""
        standing = [AssignmentHere(**item._asdict()) for item in service.standing(person)]
        return Me(student=person.account, is_instructor=person.is_instructor, assignments=standing)

    @api.post(
        "/assignments/{assignment}/submissions",
        status_code=201,
        responses=_why(400, 403, 404, 408, 413, 422) | {200: {"model": SubmissionTold}},
        openapi_extra=NOTEBOOK,
    )
    async def submit(
        assignment: Name, request: Request, response: Response, person: Annotated[Person, Depends(student)]
    ) -> SubmissionTold:
        """Hand in a notebook. Once this answers, it is on disk; the same bytes again are the same submission (200)."""
        service.require(assignment)
        with uploads.one_of(person, most_of(request)):
            data = await body_of(request)
            requests.charge(person, len(data) >> 20)
            told, is_new = await run_in_threadpool(service.receive, person, assignment, data)
        response.status_code = 201 if is_new else 200
        return told

    @api.get("/assignments/{assignment}/submissions", responses=_why(403, 404))
    def submissions(assignment: Name, person: Annotated[Person, Depends(student)]) -> list[SubmissionTold]:
        """All submissions of one's own, the last first."""
        return service.history(person, assignment)

    @api.get("/assignments/{assignment}/submissions/{digest}", responses=_why(403, 404))
    def submission(assignment: Name, digest: Digest, person: Annotated[Person, Depends(student)]) -> SubmissionTold:
        """Where a submission of one's own stands, and what came of it."""
        return service.submission(person, assignment, digest)

    @api.get("/class/{assignment}", responses=_why(403, 404))
    def class_overview(assignment: Name, person: Annotated[Person, Depends(instructor)]) -> Overview:
        """The class as it works."""
        service.require(assignment)
        return overview(service, assignment)

    @api.get("/class/{assignment}/students/{account}", responses=_why(403, 404))
    def of_student(
        assignment: Name, account: Account, person: Annotated[Person, Depends(instructor)]
    ) -> list[SubmissionTold]:
        """All submissions of a student, the last first, with all that there is to tell."""
        return service.history(person, assignment, of=account)

    @api.put("/class/{assignment}/students/{account}/extension", responses=_why(400, 403, 404, 408, 413, 422))
    def extend(
        assignment: Name, account: Account, wanted: Extension, person: Annotated[Person, Depends(instructor)]
    ) -> Dates:
        """Extend a student's due date, in course.toml; the doors stay open for them as long."""
        service.extend(assignment, account, wanted.until)
        due, closes = service.dates(assignment, account)
        return Dates(due=due, closes=closes)

    @api.put("/class/{assignment}/doors", responses=_why(400, 403, 404, 408, 413))
    def set_doors(assignment: Name, wanted: WhetherOpen, person: Annotated[Person, Depends(instructor)]) -> WhetherOpen:
        """Close the doors of an assignment for everybody, or let course.toml decide again."""
        service.set_doors(assignment, is_open=wanted.is_open)
        return wanted

    @api.post("/class/{assignment}/faults", responses=_why(403, 404))
    def grade_faults_again(assignment: Name, person: Annotated[Person, Depends(instructor)]) -> Overview:
        """Put all back into the queue on which the grader failed."""
        service.grade_faults_again(assignment)
        return overview(service, assignment)

    @api.get("/class/{assignment}/regrading", responses=_why(403, 404))
    def regrading(assignment: Name, person: Annotated[Person, Depends(instructor)]) -> RegradingNow:
        """How far grading everything again has come, and who would have another result."""
        return service.regrading(assignment)

    @api.post("/class/{assignment}/regrading", responses=_why(403, 404))
    def regrade(assignment: Name, person: Annotated[Person, Depends(instructor)]) -> RegradingNow:
        """Read the checks anew, and grade again all that is graded. Nothing counts before it is applied."""
        service.regrade(assignment)
        return service.regrading(assignment)

    @api.delete("/class/{assignment}/regrading", responses=_why(403, 404))
    def discard(assignment: Name, person: Annotated[Person, Depends(instructor)]) -> RegradingNow:
        """Forget what was graded again."""
        service.settle_regrading(assignment, is_to_count=False)
        return service.regrading(assignment)

    @api.post("/class/{assignment}/regrading/apply", responses=_why(403, 404, 409))
    def apply(assignment: Name, person: Annotated[Person, Depends(instructor)]) -> Overview:
        """Have all that was graded again count from now on."""
        service.settle_regrading(assignment, is_to_count=True)
        return overview(service, assignment)

    return api
