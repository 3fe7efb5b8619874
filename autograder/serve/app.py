"""The server as an ASGI application: API and pages, and how each says that something cannot be."""

import math
import sys
import traceback

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from autograder.results.model import package_version
from autograder.results.text import one_line
from autograder.serve.api import make_api
from autograder.serve.bounds import WithHeaders
from autograder.serve.pages import LoginError, make_pages, page
from autograder.serve.receiving import RefusedError
from autograder.serve.service import Service

DATABASE_SECONDS = 5.0  # after which a client may try again


def make_app(service: Service) -> FastAPI:
    """The application that serves API and pages of a service."""
    app = FastAPI(
        title="fixmelab: the judge while they work",
        version=package_version() or "0",
        docs_url=None,  # they would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.include_router(make_api(service))
    app.include_router(make_pages(service))

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> Response:
        return _answer(request, error.status, str(error), error.seconds)

    @app.exception_handler(LoginError)
    async def login(request: Request, error: LoginError) -> Response:
        return page("login.html.jinja", line="")

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        answer = _answer(request, error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _answer(request, 422, one_line(f"{where}: {first['msg']}", 300))

    @app.exception_handler(SQLAlchemyError)
    async def of_database(request: Request, error: SQLAlchemyError) -> Response:
        # Nothing was acknowledged, so a client that tries again loses nothing.
        print(f"database: {one_line(str(error), 300)}", file=sys.stderr)
        return _answer(request, 503, "the server's database does not answer; try again", DATABASE_SECONDS)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        traceback.print_exception(error)
        return _answer(request, 500, "the server failed; tell your instructor")

    app.add_middleware(WithHeaders)
    return app


def _answer(request: Request, status: int, line: str, seconds: float | None = None) -> Response:
    """One line, as JSON for programs and as a page for people."""
    headers = {} if seconds is None else {"retry-after": str(max(math.ceil(seconds), 1))}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": line}, status, headers)
    answer = page("problem.html.jinja", status=status, line=line)
    answer.headers.update(headers)
    return answer
