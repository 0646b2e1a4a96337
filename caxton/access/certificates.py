"""Certificates for TLS between a daemon and its clients: an authority of the project's own, the server's, and clients'.

In: a folder, names of hosts and of clients. Out: PEM files there, keys with mode 0600. `openssl` makes them, a program
that every system with TLS has, so that Caxton needs no library for it; what is there already stays.
"""

from __future__ import annotations

import ipaddress
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from caxton.disk import translated
from caxton.errors import ConfigurationError

AUTHORITY: Final = "ca"
SERVER: Final = "server"
DAYS: Final = 825
"""How long a certificate is valid; some clients refuse longer ones."""
AUTHORITY_DAYS: Final = 3650
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def init(folder: Path, hosts: Sequence[str], clients: Sequence[str]) -> list[Path]:
    """Make the authority, the server's certificate for those hosts, and one for each client; the new ones.

    Raises ConfigurationError where a name cannot be one, or `openssl` is missing or fails.
    """
    for name in (*hosts, *clients):
        if not _NAME.fullmatch(name) and not _is_address(name):
            raise ConfigurationError(
                f"{name[:80]!r} cannot stand in a certificate", hint="use letters, digits, '.', '_' and '-'"
            )
    taken = next((one for one in clients if one in (AUTHORITY, SERVER)), None)
    if taken is not None:
        raise ConfigurationError(
            f"a client cannot be called {taken!r}", hint="that is the name of another file"
        )
    with translated(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[Path] = []
    if not (folder / f"{AUTHORITY}.pem").exists():
        made.append(_authority(folder))
    if not (folder / f"{SERVER}.pem").exists():
        names = ",".join(f"{'IP' if _is_address(one) else 'DNS'}:{one}" for one in hosts)
        made.append(
            _signed(folder, SERVER, hosts[0], f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
        )
    for name in clients:
        if not (folder / f"{name}.pem").exists():
            made.append(_signed(folder, name, name, "extendedKeyUsage=clientAuth\n"))
    return made


def _authority(folder: Path) -> Path:
    out = folder / f"{AUTHORITY}.pem"
    words = ["req", "-x509", *_new_key(folder, AUTHORITY), "-days", str(AUTHORITY_DAYS), "-out", str(out)]
    _openssl([*words, "-subj", "/CN=Caxton authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
    return out


def _signed(folder: Path, name: str, common: str, extensions: str) -> Path:
    out, authority = folder / f"{name}.pem", folder / AUTHORITY
    with tempfile.TemporaryDirectory() as place:
        request, wanted = Path(place) / "request.pem", Path(place) / "extensions"
        wanted.write_text(f"basicConstraints=critical,CA:FALSE\n{extensions}", "ascii")
        _openssl(["req", "-new", *_new_key(folder, name), "-subj", f"/CN={common}", "-out", str(request)])
        signer = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}-key.pem", "-CAcreateserial"]
        signer += ["-CAserial", str(Path(place) / "serial"), "-days", str(DAYS)]
        _openssl(["x509", "-req", "-in", str(request), *signer, "-extfile", str(wanted), "-out", str(out)])
    return out


def _new_key(folder: Path, name: str) -> list[str]:
    key = str(folder / f"{name}-key.pem")
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]


def _openssl(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, umask=0o077, check=False)
    except OSError as error:
        raise ConfigurationError(
            f"openssl cannot be run: {error.strerror}",
            hint="install openssl, or bring certificates of your own",
        ) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ConfigurationError(f"openssl {words[0]} failed: {said[:300]}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
