# what is used of it: it brings no types of its own
from collections.abc import Iterator

class SchemaError(Exception):
    message: str

class ValidationError(Exception):
    message: str
    json_path: str

class Draft202012Validator:
    def __init__(self, schema: object, *, registry: object) -> None: ...
    @classmethod
    def check_schema(cls, schema: object) -> None: ...
    def iter_errors(self, instance: object) -> Iterator[ValidationError]: ...
