"""What Caxton uses of google-re2, which says nothing of its types."""

class error(Exception):
    args: tuple[bytes]

class Options:
    case_sensitive: bool
    log_errors: bool
    max_mem: int
    never_capture: bool

class _Regexp:
    @property
    def programsize(self) -> int: ...
    def search(self, text: bytes) -> object | None: ...

def compile(pattern: bytes, options: Options) -> _Regexp: ...
