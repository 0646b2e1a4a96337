"""The gRPC interface, made from the OpenAPI document: the same operations, parameters, bodies and answers.

In: `tests/api/openapi.json`. Out: `caxton/v1/caxton.proto` and a module beside it; with `--check` nothing is
written, and the exit code is 1 where they are not what would be written. A field keeps the number that it has, a new
one gets the next, and the number of one that has gone is reserved.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "tests" / "api" / "openapi.json"
PROTO = ROOT / "caxton" / "v1" / "caxton.proto"
MADE = ("caxton_pb2.py", "caxton_pb2.pyi")

HEAD = """// Caxton's HTTP API, version 1, and its event stream, made by .ci/protos.py from the OpenAPI document.
// What each operation does stands in docs/api.md, under the route that `rest` names.
syntax = "proto3";

package caxton.v1;

import "google/protobuf/descriptor.proto";

extend google.protobuf.MethodOptions {
  // The route that does the same.
  string rest = 50557;
}

// Any JSON, as text, so that no digit of a number is lost.
message Json {
  string text = 1;
}
"""
LEFT_OUT = ("/health", "/ready", "/metrics")
"""What gRPC has services of its own for, or Prometheus asks for by HTTP."""
EVENT = {
    "description": "A row of the journal: `kind` is message, agent and so on, or gap for rows that were left out.",
    "properties": {"seq": {"type": "integer"}, "kind": {"type": "string"}, "data": {}},
    "required": ["kind", "data"],
}
NAMES = {"events": "Watch", "of_agent": "Messages", "refused": "Refusals", "take_in": "Import"}
"""Operations whose functions are called otherwise."""
SCALARS = {"integer": "int64", "number": "double", "string": "string", "boolean": "bool"}


class Proto:
    """The text of the file, as it grows; `known`: the numbers that fields have already."""

    def __init__(self, schemas: dict[str, Any], known: dict[str, dict[str, int]]) -> None:
        self._schemas = schemas
        self._known = known
        self._done: dict[str, str] = {}
        self._services: dict[str, list[str]] = {}

    def operation(self, path: str, method: str, said: dict[str, Any]) -> None:
        """Add what one route does."""
        service = camel(said["tags"][0])
        name = operation_name(said["operationId"], said["tags"][0])
        streams = path.endswith("/events")
        fields = {one["name"].replace("-", "_"): one["schema"] for one in said.get("parameters", ())}
        needed = [one["name"].replace("-", "_") for one in said.get("parameters", ()) if one.get("required")]
        if "requestBody" in said:
            fields["body"] = said["requestBody"]["content"]["application/json"]["schema"]
            needed.append("body")
        request = f"{service}{name}Request"
        self._message(request, {"properties": fields, "required": needed})
        answer: dict[str, Any] = next(
            (
                one["content"]["application/json"]["schema"]
                for code, one in said["responses"].items()
                if code.startswith("2") and "application/json" in one.get("content", {})
            ),
            {},
        )
        if streams:
            self._message("Event", EVENT)
            kind = "stream Event"
        elif "$ref" in answer:
            kind = self._type(answer, "")[1]
        else:
            kind = f"{service}{name}Answer"
            self._message(kind, {"properties": {}})
        if kind == name:
            # the nearest of that name would be the operation
            kind = f"caxton.v1.{kind}"
        comment = " ".join(said["description"].split())
        self._services.setdefault(service, []).append(
            f"  // {comment}\n  rpc {name}({request}) returns ({kind}) {{\n"
            f'    option (rest) = "{method.upper()} {path}";\n  }}\n'
        )

    def text(self) -> str:
        """The file."""
        services = [
            f"service {name}Service {{\n{''.join(ways)}}}\n" for name, ways in sorted(self._services.items())
        ]
        return "\n".join([HEAD, *services, *(text for _, text in sorted(self._done.items()))])

    def _message(self, name: str, schema: dict[str, Any]) -> None:
        if name in self._done:
            return
        self._done[name] = ""
        known = dict(self._known.get(name, {}))
        gone = {number for key, number in known.items() if key not in (*schema["properties"], "extensions")}
        lines = []
        for field, kind in schema["properties"].items():
            number = known.setdefault(field, max(known.values(), default=0) + 1)
            rule, type_name = self._type(kind, name + camel(field))
            if rule == "" and (field not in schema.get("required", ()) or nullable(kind)):
                rule = "optional "
            comment = kind.get("description", "")
            lines += [f"  // {' '.join(comment.split())}"] if comment else []
            lines.append(f"  {rule}{type_name} {field} = {number};")
        if "patternProperties" in schema:
            number = known.setdefault("extensions", max(known.values(), default=0) + 1)
            lines += [
                "  // Parameters of one's own; their names begin with x_.",
                f"  map<string, Json> extensions = {number};",
            ]
        if gone:
            lines.append(f"  reserved {', '.join(map(str, sorted(gone)))};")
        said = schema.get("description", "")
        head = f"// {' '.join(said.split())}\n" if said else ""
        self._done[name] = head + f"message {name} {{\n" + "".join(f"{line}\n" for line in lines) + "}\n"

    def _type(self, schema: dict[str, Any], name: str) -> tuple[str, str]:
        """A field's rule and type."""
        if "$ref" in schema:
            other = schema["$ref"].rpartition("/")[2]
            return self._type(self._schemas[other], other)
        kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        if len(kinds) == 1:
            return self._type(kinds[0], name)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = "array" if "array" in kind else next(one for one in kind if one != "null")
        if schema.get("format") == "byte":
            return "", "bytes"
        if kind in SCALARS and not kinds:
            return "", SCALARS[kind]
        if kind == "array":
            rule, item = self._type(schema.get("items", {}), name)
            return ("repeated ", item) if not rule else ("", "Json")
        if kind == "object" and schema.get("properties"):
            name = schema.get("title", name)
            self._message(name, schema)
            return "", name
        return "", "Json"


def nullable(schema: dict[str, Any]) -> bool:
    """Whether a field may be null."""
    return {"type": "null"} in schema.get("anyOf", ()) or "null" in (schema.get("type") or ())


def camel(text: str) -> str:
    """A type's name."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-_ ]", text))


def operation_name(id: str, tag: str) -> str:
    """An operation's name, without the noun that its service has already."""
    name = id.split("_api_v1_")[0]
    noun = tag.replace(" ", "_")
    return NAMES.get(name) or camel("list" if name == noun else name.removesuffix(f"_{noun}"))


def known_numbers(text: str) -> dict[str, dict[str, int]]:
    """The fields of each message of such a file, with their numbers; one that has gone has none but its number."""
    found: dict[str, dict[str, int]] = {}
    for name, body in re.findall(r"^message (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        fields = {field: int(number) for field, number in re.findall(r" (\w+) = (\d+);", body)}
        for gone in re.findall(r"reserved ([\d, ]+);", body):
            fields |= {f"-{number}": int(number) for number in gone.split(", ")}
        found[name] = fields
    return found


def generated() -> str:
    """The file as it should be."""
    document = json.loads(DOCUMENT.read_text("utf-8"))
    known = known_numbers(PROTO.read_text("utf-8")) if PROTO.exists() else {}
    proto = Proto(document["components"]["schemas"], known)
    for path, operations in sorted(document["paths"].items()):
        for method, said in sorted(operations.items()):
            if path not in LEFT_OUT:
                proto.operation(path, method, said)
    return proto.text()


def compiled(folder: Path, text: str) -> dict[Path, str]:
    """What protoc makes of it: a module and its types."""
    from grpc_tools import protoc  # the gate needs it, who only reads the text does not

    source = folder / "caxton" / "v1" / PROTO.name
    source.parent.mkdir(parents=True)
    source.write_text(text, "utf-8")
    well_known = Path(protoc.__file__).parent / "_proto"
    outputs = [f"--python_out={folder}", f"--pyi_out={folder}"]
    if protoc.main(["protoc", f"-I{folder}", f"-I{well_known}", *outputs, str(source)]):
        raise SystemExit(1)
    return {PROTO.with_name(name): source.with_name(name).read_text("utf-8") for name in MADE}


def main(check: bool) -> int:
    """Write the files, or only look whether they are what they should be; returns the exit code."""
    text = generated()
    with tempfile.TemporaryDirectory() as folder:
        files = {PROTO: text, **compiled(Path(folder), text)}
    wrong = [path for path, said in files.items() if not path.exists() or path.read_text("utf-8") != said]
    for path in wrong:
        if check:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not up to date\nhint: run `just generate`\n")
        else:
            path.write_text(files[path], "utf-8")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
