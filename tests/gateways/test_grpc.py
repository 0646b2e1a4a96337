"""gRPC: the API's operations behind the same table, what was published stays, a client from the proto alone."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("grpc_reflection", reason="it came with a later extra dev: install that again")

from access.asking import api
from api.process import CONFIGURATION, Daemon, running
from google.protobuf.descriptor import FieldDescriptor

from caxton import exact_numbers
from caxton.access import PERMISSIONS, Reach, Role
from caxton.errors import CaxtonError, InvalidMessage, Unauthenticated, Unreachable
from caxton.gateways.grpc.daemon import Caller, call_of
from caxton.gateways.grpc.messages import fill, json_of
from caxton.gateways.grpc.refusals import code_of
from caxton.gateways.grpc.services import rest_of
from caxton.v1 import caxton_pb2

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = Path(__file__).with_name("published.txt")
BY_HTTP_ONLY = {"GET /health", "GET /ready", "GET /metrics", "GET /api/v1/openapi.json"}
METHODS: list[Any] = [
    method for service in caxton_pb2.DESCRIPTOR.services_by_name.values() for method in service.methods
]
FILLED = {"name": "echo", "id": "1", "seq": 1, "token": "nobody"}


def test_every_route_has_an_operation_and_every_operation_a_route() -> None:
    routes = {
        re.sub(r":path\}", "}", one) for one, it in PERMISSIONS.items() if not it.gateway
    } - BY_HTTP_ONLY
    assert sorted(rest_of(method) for method in METHODS) == sorted(routes)


def test_operations_by_roles_without_a_hole(tmp_path: Path) -> None:
    asked, holes = 0, list[str]()
    needed = {re.sub(r":path\}", "}", one): it for one, it in PERMISSIONS.items()}
    with api(tmp_path, "echo") as served:
        secrets: dict[str, str | None] = {role: served.token(role.value, role) for role in Role}
        secrets |= {"nobody": None, "stranger": f"cxt_00000000_{'a' * 43}"}
        scoped = served.token("scoped", Role.ADMIN, "seller-*")
        for place, (name, secret) in enumerate(
            (method, one) for method in METHODS for one in (*secrets.items(), ("scoped", scoped))
        ):
            rest, (who, credential) = rest_of(name), secret
            said = {key: value for key, value in FILLED.items() if f"{{{key}}}" in rest}
            caller = Caller(f"192.0.2.{place}", None if credential is None else f"Bearer {credential}")
            call = call_of(rest, said, caller)
            headers = {key.lower(): str(value) for key, value in call.headers.items()}
            status = served.ask(call.method, call.path, headers=headers, local=True).status
            asked += 1
            entry = needed[rest]
            if who in ("nobody", "stranger"):
                fine = status == 401
            elif who == "scoped":
                fine = status == 403 or entry.reach not in (Reach.ALL, Reach.PATH)
            else:
                assert entry.role is not None
                fine = (status != 403) == Role(who).includes(entry.role) and status not in (401, 421)
            if not fine:
                holes.append(f"{rest} {who}: {status}")
        print(f"{asked} calls: {len(METHODS)} operations; {len(holes)} holes")  # noqa: T201 - the count is the proof
        assert holes == []


def test_what_is_forwarded_counts_on_the_socket_only(tmp_path: Path) -> None:
    with api(tmp_path) as served:
        said = Caller("192.0.2.1", f"Bearer {served.token('v', Role.VIEWER)}").headers()
        headers = {name.lower(): value for name, value in said.items()}
        over_tcp = {"x-caxton-forwarded-for": "192.0.2.1"}
        assert served.ask("GET", "/api/v1/tokens", headers=headers, local=True).status == 403
        assert served.ask("GET", "/api/v1/tokens", headers=over_tcp, local=True).status == 401
        assert served.ask("GET", "/api/v1/tokens", headers=over_tcp).status == 401
        assert served.ask("GET", "/api/v1/tokens", local=True).status == 200


def test_digits_bytes_and_own_parameters_come_through() -> None:
    body = caxton_pb2.Message(performative="inform", receiver=["a"])
    body.content.text = "12345678901234567890.10"
    body.extensions["x_a"].text = "[1]"
    request = caxton_pb2.MessagesSubmitRequest(wait="0", body=body)
    call = call_of("POST /api/v1/messages", json_of(request), Caller())
    assert call.body is not None
    assert b'"content":12345678901234567890.10' in call.body
    assert b'"x_a":[1]' in call.body
    assert call.query == {"wait": "0"}
    deploy = caxton_pb2.AgentsDeployRequest(body=caxton_pb2.DeployBody(name="a", wasm_module=b"\0asm"))
    assert json_of(deploy)["body"]["wasm_module"] == "AGFzbQ=="
    told = caxton_pb2.MessageBody()
    fill(told, {"seq": 7, "message": exact_numbers.decode(b'{"content":1.10}'), "cause": None})
    assert (told.seq, told.message.text, told.HasField("cause")) == (7, '{"content":1.10}', False)


def test_a_text_that_is_no_json_is_named() -> None:
    body = caxton_pb2.Message()
    body.content.text = '1, "sender": "another"'
    with pytest.raises(InvalidMessage, match="content: its text is no JSON"):
        json_of(body)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unauthenticated("x"), "UNAUTHENTICATED"),
        (Unreachable("x"), "UNAVAILABLE"),
        (InvalidMessage("x"), "INVALID_ARGUMENT"),
    ],
)
def test_refusals_have_a_code_of_grpc(error: CaxtonError, code: str) -> None:
    assert code_of(error).name == code


def interface() -> set[str]:
    """Every operation, field and type, a line each."""
    found = set[str]()
    for method in METHODS:
        streams = "stream " if method.server_streaming else ""
        found.add(f"{method.full_name} {method.input_type.name} {streams}{method.output_type.name}")
    for message in caxton_pb2.DESCRIPTOR.message_types_by_name.values():
        found |= {_line(field) for field in message.fields}
    return found


def _line(field: FieldDescriptor) -> str:
    kind = field.message_type.full_name if field.message_type is not None else str(field.type)
    repeated = "repeated " if field.is_repeated else ""
    return f"{field.full_name} {field.number} {repeated}{kind}"


def test_what_was_published_stays() -> None:
    """A breaking change fails here. What is new is written down by: PYTHONPATH=tests:. python -m gateways.test_grpc"""
    published = set(PUBLISHED.read_text("utf-8").splitlines())
    assert published - interface() == set(), "taken away or changed"
    assert interface() - published == set(), "new: write it down"


def test_the_proto_is_what_the_document_says() -> None:
    pytest.importorskip("grpc_tools")
    spec = importlib.util.spec_from_file_location("protos", ROOT / ".ci" / "protos.py")
    assert spec is not None
    assert spec.loader is not None
    protos = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(protos)
    assert protos.PROTO.read_text("utf-8") == protos.generated(), "run: just generate"


CLIENT = """
import sys, tempfile, pathlib
from grpc_tools import protoc
import grpc
made, known = tempfile.mkdtemp(), pathlib.Path(protoc.__file__).parent / "_proto"
words = f"-I{sys.argv[1]} -I{known} --python_out={made} --grpc_python_out={made}".split()
assert protoc.main(["protoc", *words, "caxton.proto"]) == 0
sys.path.insert(0, made)
import caxton_pb2 as pb, caxton_pb2_grpc as services
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

own, tcp = grpc.insecure_channel("unix:" + sys.argv[2]), grpc.insecure_channel(sys.argv[3])

def refused(call, *given, **more):
    try:
        call(*given, **more)
    except grpc.RpcError as error:
        return error
    raise AssertionError("not refused")

agents = services.AgentsServiceStub(own)
assert [one.name for one in agents.List(pb.AgentsListRequest(), wait_for_ready=True).items] == ["counter", "echo"]
body = pb.Message(performative="request", receiver=["echo"], content=pb.Json(text="7.10"))
said = services.MessagesServiceStub(own).Submit(pb.MessagesSubmitRequest(wait="5s", body=body))
assert '"content":7.10' in said.replies[0].message.text
events = services.EventsServiceStub(own).Watch(pb.EventsWatchRequest(after=0, kinds="message"))
assert (next(events).kind, next(events).seq) == ("message", said.replies[0].seq)
events.cancel()
unknown = refused(agents.Show, pb.AgentsShowRequest(name="eco"))
assert unknown.code() is grpc.StatusCode.NOT_FOUND
assert b"agent_not_found" in dict(unknown.trailing_metadata())["grpc-status-details-bin"]
token = services.AccessServiceStub(own).CreateToken(
    pb.AccessCreateTokenRequest(body=pb.NewToken(name="v", role="viewer", agents=["*"]))
).secret
mine = (("authorization", "Bearer " + token),)
others = services.AgentsServiceStub(tcp)
assert refused(others.List, pb.AgentsListRequest()).code() is grpc.StatusCode.UNAUTHENTICATED
assert len(others.List(pb.AgentsListRequest(), metadata=mine).items) == 2
denied = refused(others.Stop, pb.AgentsStopRequest(name="echo"), metadata=mine)
assert denied.code() is grpc.StatusCode.PERMISSION_DENIED
assert {one.who for one in services.AccessServiceStub(own).Audit(pb.AccessAuditRequest()).items} >= {"v"}
health = health_pb2_grpc.HealthStub(tcp)
serving = health_pb2.HealthCheckResponse.SERVING
assert health.Check(health_pb2.HealthCheckRequest()).status == serving
assert health.Check(health_pb2.HealthCheckRequest(service="journal"), metadata=mine).status == serving
assert refused(health.Check, health_pb2.HealthCheckRequest(service="journal")).code() is grpc.StatusCode.UNAUTHENTICATED
assert "caxton.v1.AgentsService" in ProtoReflectionDescriptorDatabase(tcp).get_services()
print("all of it")
"""


@pytest.mark.system
def test_a_client_that_is_made_from_the_proto_alone(tmp_path: Path, unused_tcp_port: int) -> None:
    """All of it in one daemon and one client, which are what costs."""
    address = f"127.0.0.1:{unused_tcp_port}"
    with running(tmp_path / "own", f'{CONFIGURATION}[listen]\ngrpc = "{address}"\n') as daemon:
        assert "all of it" in client(daemon, tmp_path, address)


def client(daemon: Daemon, elsewhere: Path, address: str) -> str:
    words = [str(ROOT / "caxton" / "v1"), str(daemon.socket.with_suffix(".grpc")), address]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", CLIENT, *words],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    PUBLISHED.write_text("\n".join(sorted(interface())) + "\n", "utf-8")
