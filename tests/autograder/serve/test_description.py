"""The API does what its own description says, whatever it is sent."""

import hashlib
import logging

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans, sampled_from
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)
from small_class import notebook

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
]
OPERATIONS = 13
KNOWN = {"assignment": "little", "account": "ada", "digest": hashlib.sha256(notebook()).hexdigest()}


def test_what_the_api_does_is_what_it_says(here, monkeypatch):
    monkeypatch.setattr("autograder.serve.bounds.BURST", 10**6)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    here.send("ada", notebook())
    here.grade(("fail", "No."), ("manual", ""))
    schema = schemathesis.openapi.from_asgi("/openapi.json", here.client.app)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(), who=sampled_from(["ada", "instructor"]), is_known=booleans())
        @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def try_it(case, who, is_known):
            case.headers = {**(case.headers or {}), "Authorization": here.as_(who)["authorization"]}
            if is_known:
                case.path_parameters = {name: KNOWN[name] for name in case.path_parameters}
            case.call_and_validate(checks=CHECKS)

        try_it()
        tried += 1
    assert tried == OPERATIONS
