"""`caxton msg convert`: one form of a message into another."""

from __future__ import annotations

from typing import Annotated

import typer

from caxton.cli.input import message_files
from caxton.cli.input.message_files import Form


def convert(
    source: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="Where the messages are; - reads stdin.")
    ] = "-",
    from_form: Annotated[Form, typer.Option("--from", help="How they are written.")] = Form.JSON,
    to_form: Annotated[Form, typer.Option("--to", help="How to write them.")] = Form.FIPA_STRING,
) -> None:
    """Convert messages from one format into another without loss.

    JSON is one object, an array or an object a line, FIPA strings (FIPA00070) stand one after the other, XML
    (FIPA00071) is one message or a conversation of them. A mistake is named with its line and column, exit code 2.

    \b
    Examples:
      caxton msg convert --from fipa-string --to json request.acl
      caxton msg convert --from json --to xml message.json
      caxton conv export market-1 --format fipa-string | caxton msg convert --from fipa-string --to xml -
    """
    data = message_files.source(source, "FILE")
    message_files.put(message_files.written(message_files.read(data, from_form, source), to_form))
