"""Tokens: made, kept as hashes, found again after a restart, ended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from caxton.access import Role, Tokens, expiry, redacted, role_of
from caxton.errors import ConfigurationError, TokenExists, TokenNotFound, Unauthenticated

DAY_US = 86_400_000_000


class Clock:
    now_us = 1_000 * DAY_US

    def __call__(self) -> int:
        return self.now_us


def test_only_a_hash_is_kept_and_a_restart_knows_it(tmp_path: Path) -> None:
    clock = Clock()
    tokens = Tokens(tmp_path, clock)
    token, secret = tokens.create("ann", Role.OPERATOR, ["seller-*"], None, "owner")
    assert re.fullmatch(rf"cxt_{token.id}_[A-Za-z0-9_-]{{43}}", secret)
    file = tmp_path / "tokens.json"
    assert secret.partition("_")[2].partition("_")[2] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    again = Tokens(tmp_path, clock)
    found = again.authenticate(secret, "192.0.2.1")
    assert (found.name, found.role, found.agents) == ("ann", Role.OPERATOR, ("seller-*",))
    assert (found.used_us, found.used_from) == (clock.now_us, "192.0.2.1")
    assert Tokens(tmp_path, clock).all()[0].used_from == "192.0.2.1"


def test_it_ends_by_time_by_revocation_and_by_rotation(tmp_path: Path) -> None:
    clock = Clock()
    tokens, ended = Tokens(tmp_path, clock), list[str]()
    tokens.on_ended.append(ended.append)
    _, first = tokens.create("ann", Role.VIEWER, ["*"], expiry("1d", clock()), "owner")
    with pytest.raises(TokenExists, match="'ann'"):
        tokens.create("ann", Role.VIEWER, ["*"], None, "owner")
    second = tokens.rotate("ann")[1]
    with pytest.raises(Unauthenticated, match="not known"):
        tokens.authenticate(first, "x")
    clock.now_us += DAY_US + 29_000_000
    tokens.authenticate(second, "x")
    clock.now_us += 1_000_000
    with pytest.raises(Unauthenticated, match="'ann' is expired"):
        tokens.authenticate(second, "x")
    assert not tokens.any_valid()
    # the name is free again
    third = tokens.create("ann", Role.VIEWER, ["*"], None, "owner")[1]
    tokens.revoke("ann")
    with pytest.raises(Unauthenticated, match="'ann' is revoked"):
        tokens.authenticate(third, "x")
    assert len(ended) == 2
    with pytest.raises(TokenNotFound):
        tokens.revoke("bob")


def test_what_cannot_be_a_token_is_one_error(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path, Clock())
    for name, agents in (("", ["*"]), ("a b", ["*"]), ("a", []), ("a", [""]), ("a", ["x y"])):
        with pytest.raises(ConfigurationError):
            tokens.create(name, Role.VIEWER, agents, None, "owner")
    for text in ("soon", "0s", "-1d", "9999d"):
        with pytest.raises(ConfigurationError, match="expires"):
            expiry(text, 0)
    with pytest.raises(ConfigurationError, match="'root' is no role"):
        role_of("root")
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"tokens\.json is damaged"):
        Tokens(tmp_path, Clock())


def test_secrets_are_left_out_of_texts(tmp_path: Path) -> None:
    token, secret = Tokens(tmp_path, Clock()).create("ann", Role.VIEWER, ["*"], None, "owner")
    assert redacted(f"Bearer {secret}!") == f"Bearer cxt_{token.id}_…!"
    assert redacted("nothing here") == "nothing here"
