"""Requests at random for every route, as the OpenAPI document says them and as it forbids: `just api-fuzz 200`.

In: the API of a simulated system. Out: what schemathesis finds wrong with its answers, but for what `ALLOWED` lists.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import schemathesis
from access.asking import Answered, Api, api
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

from caxton.api.routes.document import document

_CONTENT: Final = "what the text means is beyond JSON Schema: "
_NOT_NOW: Final = "well said, and not possible as things are: "
ALLOWED: Final[dict[str, str]] = {
    "agents invalid_module": _CONTENT + "base64 of a module that passes the checks",
    "agents invalid_bundle": _CONTENT + "base64 of a bundle",
    "agents invalid_configuration": _CONTENT
    + "names that are taken by the platform, limits, stages and conditions",
    "agents changed": _NOT_NOW + "`If-Match` names another revision",
    "approvals invalid_message": _CONTENT + "an act, an answer, the name of who decides",
    "approvals not_held": _NOT_NOW + "the message waits for no approval",
    "breaks invalid_filter": _CONTENT + "a filter",
    "breaks invalid_message": _CONTENT + "a client's name, a length of time up to a day",
    "breaks invalid_request": "bodies are strict: 3.0 is no whole number there",
    "dead-letters invalid_filter": _CONTENT + "a filter",
    "dead-letters invalid_request": "bodies are strict: 3.0 is no whole number there",
    "df invalid_message": _CONTENT + "a df-agent-description",
    "held not_held": _NOT_NOW + "the message is not held",
    "held invalid_message": _CONTENT + "an act, a length of time up to a day",
    "held invalid_request": "bodies are strict: 3.0 is no whole number there",
    "mailbox invalid_filter": _CONTENT + "a filter",
    "messages invalid_message": _CONTENT
    + "names of agents, moments, a trace, a length of time up to an hour",
    "messages routing_error": _NOT_NOW + "there is nobody to send it to",
    "replays invalid_configuration": "one of two fields must be there, which both have defaults",
    "replays invalid_module": _CONTENT + "base64 of a module",
    "tasks invalid_task": _CONTENT + "a protocol, the acts that it begins with, its participants",
    "tasks invalid_message": _CONTENT + "a length of time up to an hour",
    "tasks invalid_request": "bodies are strict: 3.0 is no whole number there",
    "tokens invalid_configuration": _CONTENT + "a length of time",
}
"""What a request that fits the document may be refused with, by what is asked for and the refusal's code, and why."""


def complaints(served: Api, many: int, first: int = 0, only: str = "", every: int = 1) -> Iterator[str]:
    """Each kind of complaint about each route, once; `many` requests for a route that fit, and as many that do not.
    With `every` only that part of them."""
    schema = schemathesis.openapi.from_dict(document(served.app.routes))
    wanted = [found.ok() for found in schema.get_all_operations() if only in found.ok().path]
    for operation, mode in [*product(wanted, GenerationMode)][::every]:
        seen: dict[tuple[type[Exception], int], str] = {}
        _ask(served, operation, mode, many, first, seen)
        yield from seen.values()


def _ask(
    served: Api,
    operation: Any,
    mode: GenerationMode,
    many: int,
    first: int,
    seen: dict[tuple[type[Exception], int], str],
) -> None:
    @seed(first)
    @settings(
        max_examples=many,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        response = answered(served, case)
        try:
            case.validate_response(response)
        except FailureGroup as group:
            for one in group.exceptions:
                if not (isinstance(one, RejectedPositiveData) and allowed(case.path, response)):
                    said = f"{case.method} {response.request.url} {response.request.body!r:.300}"
                    told = f"{response.status_code} {response.content!r:.300}"
                    seen.setdefault(
                        (type(one), response.status_code), f"{type(one).__name__}: {said}: {told}"
                    )

    with suppress(Unsatisfiable):
        # a route without parameters takes nothing that could be wrong
        ask()


def allowed(path: str, response: Response) -> bool:
    """Whether the list lets that refusal pass."""
    code = json.loads(response.content)["error"]["code"]
    return any(f"{part} {code}" in ALLOWED for part in path.split("/"))


def answered(served: Api, case: Case[Any]) -> Response:
    """The answer of the app itself."""
    request = requests.Request(**case.as_transport_kwargs("http://caxton")).prepare()
    place = urlsplit(str(request.url))
    told = Answered()
    # what nobody expected goes on to the server, when it is answered
    with suppress(Exception):
        served.ask(
            str(request.method),
            f"{place.path}?{place.query}",
            body=request.body,
            headers={name.lower(): str(value) for name, value in request.headers.items()},
            local=True,
            for_s=5,
            into=told,
        )
    headers = {name: [value] for name, value in told.headers.items()}
    return Response(told.status, headers, told.raw, request, 0.0, False)


def main(many: int, first: int, only: str) -> int:
    """Ask, and say what is wrong; the exit code."""
    with tempfile.TemporaryDirectory() as folder, api(Path(folder), "echo") as served:
        wrong = 0
        for said in complaints(served, many, first, only):
            wrong += 1
            sys.stdout.write(f"{said}\n")
    sys.stdout.write(f"{wrong} complaints\n")
    return min(wrong, 1)


if __name__ == "__main__":
    given_words = [*sys.argv[1:], *("200", "0", "")[len(sys.argv) - 1 :]]
    raise SystemExit(main(int(given_words[0]), int(given_words[1]), given_words[2]))
