"""`[listen]`: whether the daemon also listens on TCP, for whom, and how much one client may ask.

In: what the file says. Out: a checked table; an address that others can reach is refused where it has no TLS.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from pydantic import Field, field_validator, model_validator

from caxton.access.principal import Role
from caxton.config.table import Table

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)):([0-9]{1,5})")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:]+")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ListenTable(Table):
    """[listen]: TCP beside the project's Unix socket, with a token or a certificate for everybody who comes by it."""

    tcp: str | None = Field(
        default=None,
        description="Address and port of a TCP listener, such as 127.0.0.1:8080; beyond loopback only with TLS.",
    )
    grpc: str | None = Field(
        default=None,
        description="Address and port for gRPC, such as 127.0.0.1:50051; needs the extra grpc.",
    )
    hosts: list[str] = Field(
        default_factory=list[str],
        description="Names that a request's Host may have, beside the address itself and, on loopback, localhost.",
    )
    origins: list[str] = Field(
        default_factory=list[str],
        description="Other origins whose pages may use the API (CORS), such as https://board.example; none otherwise.",
    )
    certificate: str | None = Field(
        default=None,
        min_length=1,
        description="The server's certificate, a PEM file, relative to the project's folder.",
    )
    key: str | None = Field(
        default=None, min_length=1, description="The certificate's private key, a PEM file."
    )
    client_ca: str | None = Field(
        default=None,
        min_length=1,
        description="Whose certificates of clients are taken, a PEM file; tokens are taken, too.",
    )
    subjects: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="The roles of clients with a certificate, by its common name.",
    )
    requests_per_s: int = Field(
        default=200, ge=1, le=100_000, description="Requests of one token or certificate in a second."
    )
    connections_per_client: int = Field(
        default=64, ge=1, le=512, description="TCP connections of one address at a time."
    )

    @field_validator("tcp", "grpc")
    @classmethod
    def _is_an_address(cls, said: str | None) -> str | None:
        if said is not None:
            host, port = _parted(said)
            if port > 65_535:
                raise ValueError(f"{port} is no port; ports go from 0 to 65535")
            if host != "localhost":
                try:
                    ipaddress.ip_address(host)
                except ValueError:
                    raise ValueError(
                        f"{host!r} is no IP address; write one, such as 127.0.0.1:8080 or [::1]:8080"
                    ) from None
        return said

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, said: list[str]) -> list[str]:
        for one in said:
            if not _HOST.fullmatch(one):
                raise ValueError(
                    f"{one!r} is no name of a host; write it in small letters and without a port"
                )
        return said

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, said: list[str]) -> list[str]:
        for one in said:
            if not _ORIGIN.fullmatch(one):
                raise ValueError(f"{one!r} is no origin; write each one out, such as https://board.example")
        return said

    @field_validator("subjects")
    @classmethod
    def _have_roles(cls, said: dict[str, str]) -> dict[str, str]:
        for name, role in said.items():
            if role not in list(Role):
                raise ValueError(f"{role!r} of {name!r} is no role; roles are {', '.join(Role)}")
        return said

    @model_validator(mode="after")
    def _is_locked(self) -> ListenTable:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together; one of them is missing")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("client_ca needs certificate and key: only TLS asks a client for its own")
        for name, said in (("tcp", self.tcp), ("grpc", self.grpc)):
            if said is None or _is_loopback(_parted(said)[0]) or self.certificate is not None:
                continue
            raise ValueError(
                f"{name}: {said} can be reached by others and has no TLS; set listen.certificate and listen.key"
                " (caxton cert init makes them), or listen on 127.0.0.1"
            )
        if self.tcp is not None and self.address[0] in ("0.0.0.0", "::") and not self.hosts:
            raise ValueError(
                "hosts: name the hosts that requests may be for; tcp is every address of the machine"
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        assert self.tcp is not None
        return _parted(self.tcp)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return _is_loopback(self.address[0])

    def host_names(self) -> Iterator[str]:
        """What a request's Host may name, without a port."""
        yield from self.hosts
        if self.tcp is not None:
            yield self.address[0].lower()
            if self.on_loopback:
                yield from _LOOPBACK

    def role_of(self, subject: str) -> Role | None:
        """The role of a client whose certificate has that common name."""
        role = self.subjects.get(subject)
        return None if role is None else Role(role)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def _parted(said: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(said)
    if found is None:
        raise ValueError(
            f"{said!r} is no address; write it with its port, such as 127.0.0.1:8080 or [::1]:8080"
        )
    return found[1] or found[2], int(found[3])
