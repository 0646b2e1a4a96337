"""Every route with every role and every kind of credential: who may is let in, and nobody else."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi.routing import APIRoute
from starlette.routing import Route

from access.asking import Api, api
from caxton.access import PERMISSIONS, Reach, Role

FILLED = {"name": "echo", "id": "1", "id:path": "1", "rest:path": "tasks", "seq": "1", "token": "nobody"}


def routes(api: Api) -> list[str]:
    return sorted(
        f"{method} {route.path}"
        for route in api.app.routes
        if isinstance(route, Route | APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    )


def filled(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda found: FILLED[found[1]], path)


def test_every_route_has_an_entry_and_every_entry_a_route(tmp_path: Path) -> None:
    with api(tmp_path) as served:
        assert set(PERMISSIONS) == set(routes(served))


def test_routes_by_roles_by_credentials_without_a_hole(tmp_path: Path) -> None:
    asked, holes = 0, list[str]()
    with api(tmp_path, "echo") as served:
        by_role = {role: served.token(role.value, role) for role in Role}
        scoped = served.token("scoped", Role.ADMIN, "seller-*")
        expired = served.token("expired", Role.ADMIN, expires_us=1)
        revoked = served.token("revoked", Role.ADMIN)
        served.services.tokens.revoke("revoked")
        admin = by_role[Role.ADMIN]
        strangers = {
            "none": None,
            "wrong": admin[:-1] + ("A" if admin[-1] != "A" else "B"),
            "no token at all": "Bearer",
            "unknown": f"cxt_00000000_{'a' * 43}",
            "expired": expired,
            "revoked": revoked,
        }
        for place in routes(served):
            method, path = place.split(" ")
            needed = PERMISSIONS[place]
            for name, secret in strangers.items():
                status = served.ask(method, filled(path), secret).status
                asked += 1
                if (status == 401) == (needed.role is None):
                    holes.append(f"{place} {name}: {status}")
            for role, secret in by_role.items():
                status = served.ask(method, filled(path), secret).status
                asked += 1
                may = needed.role is None or role.includes(needed.role)
                if (status == 403) == may or status in (401, 421, 429):
                    holes.append(f"{place} {role}: {status}")
            status = served.ask(method, filled(path), scoped).status
            asked += 1
            if needed.reach in (Reach.ALL, Reach.PATH) and status != 403:
                holes.append(f"{place} out of reach: {status}")
        counts = (
            f"{len(routes(served))} routes, {len(Role)} roles, {len(strangers)} kinds of strangers, a scope"
        )
        print(f"{asked} requests: {counts}; {len(holes)} holes")  # noqa: T201 - the count is the proof
        assert holes == []
        assert served.stops == 1
