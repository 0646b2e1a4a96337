"""HTTP: what is let through, what is reached, and what is not."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import pytest

from caxton.effects.http.addresses import is_open
from caxton.effects.http.fetch import Fetcher, Reach
from caxton.effects.http.vocabulary import is_allowed, place_of
from caxton.effects.own_process import Call, Failed
from caxton.errors import InvalidMessage
from caxton.testing import runtime

from .provider import Json, Provider, Reply, provider


async def fetched(
    at: Provider, path: str = "/a", private: tuple[str, ...] = ("127.0.0.1",), **more: Any
) -> Any:
    place = at.url.removeprefix("http://").removesuffix("/v1")
    reach = Reach([place], ["GET", "POST"], list(private), 1_000, {"Authorization": "TOKEN"})
    fetcher = Fetcher(reach, {"TOKEN": "secret"})
    asked = {"url": f"http://{place}{path}", "method": "GET", "headers": {"X-A": "1"}, "body": "", **more}
    try:
        return await fetcher.do(Call("1", asked, 1_000))
    finally:
        await fetcher.close()


async def test_an_answer_has_status_headers_and_body() -> None:
    json = Reply(raw=b'{"a": 1}', headers={"Content-Type": "application/json"})
    async with provider(Reply(raw="zwölf".encode()), json, Reply(raw=b"\xff\x00"), Reply(status=404)) as at:
        first = await fetched(at)
        assert (first["status"], first["text"]) == (200, "zwölf")
        assert (await fetched(at))["json"] == {"a": 1}
        assert (await fetched(at))["base64"] == "/wA="
        assert (await fetched(at))["status"] == 404
    path, headers, _ = at.requests[0]
    assert (path, headers["x-a"], headers["authorization"]) == ("/a", "1", "secret")


async def test_a_redirect_is_followed_inside_and_not_out_of_it() -> None:
    back = Reply(status=302, headers={"Location": "/b"})
    out = Reply(status=302, headers={"Location": "http://elsewhere.example/"})
    async with provider(back, Reply(raw=b"there"), out) as at:
        assert (await fetched(at))["text"] == "there"
        assert [path for path, _, _ in at.requests] == ["/a", "/b"]
        with pytest.raises(Failed) as caught:
            await fetched(at)
    assert caught.value.content["error"] == "redirect-not-allowed"


@pytest.mark.parametrize(
    ("reply", "private", "code"),
    [
        (Reply(raw=b"x" * 2_000), ("127.0.0.1",), "too-long"),
        (Reply(), ("10.0.0.0/8",), "address-not-allowed"),
        (Reply(), (), "address-not-allowed"),
        (Reply(status=302, headers={"Location": "/a"}), ("127.0.0.0/8",), "redirect-not-allowed"),
        (
            Reply(status=302, headers={"Location": "file:///etc/passwd"}),
            ("127.0.0.0/8",),
            "redirect-not-allowed",
        ),
    ],
)
async def test_what_is_not_reached_is_a_failure(reply: Reply, private: tuple[str, ...], code: str) -> None:
    async with provider(reply) as at:
        with pytest.raises(Failed) as caught:
            await fetched(at, private=private)
    assert caught.value.content["error"] == code
    assert not at.requests if code == "address-not-allowed" else at.requests


async def test_nobody_there_is_a_failure() -> None:
    async with provider() as at:
        pass
    with pytest.raises(Failed) as caught:
        await fetched(at)
    assert caught.value.content["error"] == "http"


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("192.168.7.7", True),
        ("::ffff:192.168.7.7", True),
    ],
)
def test_only_addresses_of_the_open_internet_are_reached(address: str, reached: bool) -> None:
    named = [ipaddress.ip_network("192.168.7.0/24")]
    assert is_open(ipaddress.ip_address(address), named) is reached


@pytest.mark.parametrize(
    ("url", "hosts", "allowed"),
    [
        ("https://a.example/x", ["a.example"], True),
        ("https://A.EXAMPLE/x", ["a.example"], True),
        ("https://a.example./x", ["a.example"], True),
        ("https://a.example:8443/x", ["a.example"], False),
        ("https://a.example:8443/x", ["a.example:8443"], True),
        ("https://b.a.example", ["*.a.example"], True),
        ("https://a.example", ["*.a.example"], False),
        ("https://a.example.evil", ["a.example"], False),
        ("http://[::1]:80/", ["[::1]"], True),
        ("http://[::1]:81/", ["[::1]:81"], True),
        ("https://evil.example#a.example", ["a.example"], False),
        ("https://evil.example?@a.example", ["a.example"], False),
    ],
)
def test_a_place_is_on_the_list_or_not(url: str, hosts: list[str], allowed: bool) -> None:
    assert is_allowed(place_of(url), hosts) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "a.example",
        "https://",
        "https://u:p@a.example",
        "https://a.example\\@b",
        "https://a b",
        "https://ä.example",
        "https://a.example:99999",
    ],
)
def test_what_is_no_place_is_refused(url: str) -> None:
    with pytest.raises(InvalidMessage):
        place_of(url)


CONFIG = {"http": {"web": {"hosts": ["a.example"], "request_bytes": 10}}}


@pytest.mark.parametrize(
    ("content", "act", "code"),
    [
        ({"url": "https://a.example/"}, "inform", None),
        ({"url": "https://b.example/"}, "refuse", "host-not-allowed"),
        ({"url": "https://a.example/", "method": "DELETE"}, "refuse", "method-not-allowed"),
        ({"url": "https://a.example/", "json": {"n": "x" * 10}}, "refuse", "too-long"),
        ({"url": "https://a.example/", "headers": {"Host": "b"}}, "not-understood", None),
        ({"url": "https://a.example/", "headers": {"a": "b\r\nc: d"}}, "not-understood", None),
        ({"url": "https://a.example/", "typo": 1}, "not-understood", None),
    ],
)
def test_the_agent_lets_through_what_is_on_its_list(content: Json, act: str, code: str | None) -> None:
    asked: list[Json] = []

    def web(call: Json) -> Json:
        asked.append(call)
        return {"inform": {"status": 200}}

    with runtime({}, config=CONFIG, effects={"http.web": web}) as system:
        answer = system.ask(content, to="http.web")
        assert answer["performative"] == act
        assert code is None or answer["content"]["error"] == code
        assert len(asked) == (act == "inform")


async def test_the_process_answers_what_it_was_asked() -> None:
    async with provider(Reply(raw=b"x")) as at:
        answers = await asyncio.gather(*(fetched(at, method="POST", body="eyJhIjoxfQ==") for _ in range(3)))
    assert [one["text"] for one in answers] == ["x"] * 3
