"""Every parameter and body of the OpenAPI document with values that nobody means: refused in one shape, never 500."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from access.asking import Answered, api
from caxton.access import Role
from caxton.api.routes.document import document

NUMBERS = ("-1", "9223372036854775808", "18446744073709551616", "9" * 400, "1e3", "NaN", "x", "")
TEXTS = ("", "\x00", "a" * 5000, "%", "\ud7ff\U0010ffff", "../..", "1' or '1", "*", "[" * 300)
BODIES = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b'{"name": 1, "seqs": [18446744073709551616], "filter": "(", "last": -1}',
    b'{"receiver": [], "performative": 1, "limit": 1e999}',
    b"\xff\xfe",
    b"[" * 60_000,
)
FILLED = {"name": "echo", "id": "1", "seq": "1", "token": "nobody"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if not path.endswith(("/daemon/stop", "/events")):
                yield method.upper(), path, operation


def well_refused(answered: Answered) -> bool:
    """Whether it is no error of the server's, and a refusal is in the API's shape."""
    if answered.status < 400:
        return answered.status != 0
    error = answered.body["error"]
    return answered.status < 500 and set(error) == {"code", "message", "hint", "details"}


def filled(path: str, name: str = "", value: str = "") -> str:
    return re.sub(r"\{(\w+)\}", lambda found: quote(value if found[1] == name else FILLED[found[1]]), path)


def test_no_value_of_a_parameter_and_no_body_is_an_error_of_the_server(tmp_path: Path) -> None:
    asked, wrong = 0, list[str]()
    with api(tmp_path, "echo") as served:
        token = served.token("fuzz", Role.ADMIN)
        known = document(served.app.routes)
        for method, path, operation in operations(known):
            for parameter in operation.get("parameters", ()):
                kinds = str(parameter["schema"])
                for value in NUMBERS if "integer" in kinds else TEXTS:
                    headers = None
                    place = filled(path)
                    if parameter["in"] == "path":
                        place = filled(path, parameter["name"], value)
                    elif parameter["in"] == "query":
                        place += f"?{parameter['name']}={quote(value)}"
                    else:
                        headers = {parameter["name"].lower(): quote(value)}
                    answered = served.ask(method, place, token, {}, headers=headers)
                    asked += 1
                    if not well_refused(answered):
                        wrong.append(f"{method} {place[:120]}: {answered.status} {answered.raw[:80]!r}")
            if method in ("POST", "PUT", "PATCH"):
                for body in BODIES:
                    answered = served.ask(method, filled(path), token, body)
                    asked += 1
                    if not well_refused(answered):
                        wrong.append(
                            f"{method} {path} {body[:40]!r}: {answered.status} {answered.raw[:80]!r}"
                        )
        print(f"{asked} requests")  # noqa: T201 - the count is the proof
        assert wrong == []


def test_every_method_that_a_path_has_not_is_405_with_allow(tmp_path: Path) -> None:
    with api(tmp_path) as served:
        token = served.token("fuzz", Role.ADMIN)
        for path, item in document(served.app.routes)["paths"].items():
            has = {method.upper() for method in item}
            for method in {"DELETE", "GET", "PATCH", "POST", "PUT"} - has:
                answered = served.ask(method, filled(path), token)
                # another template may have it at this very path
                if answered.status == 405:
                    assert has <= set(answered.headers["allow"].split(", ")), path
                    assert answered.code == "method_not_allowed"
                else:
                    assert answered.status in (400, 404, 409, 410, 422), (method, path)
