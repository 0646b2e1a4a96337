"""What Caxton uses of google-re2, which says nothing of its types."""

from collections.abc import Iterator

class error(Exception):
    args: tuple[bytes]

class Options:
    case_sensitive: bool
    log_errors: bool
    max_mem: int
    never_capture: bool

class _Match:
    def group(self) -> bytes: ...

class _Regexp:
    @property
    def programsize(self) -> int: ...
    def search(self, text: bytes) -> object | None: ...
    def finditer(self, text: bytes) -> Iterator[_Match]: ...

def compile(pattern: bytes, options: Options) -> _Regexp: ...
