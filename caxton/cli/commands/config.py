"""`caxton config`: show and check the project's configuration."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from caxton.access.redaction import hide, redacted
from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import listing, plural, talk
from caxton.errors import ConfigurationError
from caxton.presentation.json_line import compact

if TYPE_CHECKING:
    from caxton import config as configuration
    from caxton.cli import project_check
    from caxton.deploy import options
else:
    configuration, options, project_check = lazy(
        "caxton.config", "caxton.deploy.options", "caxton.cli.project_check"
    )

app = command_app("Show and check the configuration of this project.")


@app.command()
def show(project: Project = None, output: Output = Format.TEXT) -> None:
    """Show every value in force and where it comes from: caxton.toml, the environment, or the default.

    \b
    Examples:
      caxton config show
      caxton config show -o json | jq '.[] | select(.source != "default")'
    """
    found = configuration.load(connection.folder(project))
    hide(os.environ.get(name, "") for name in found.config.secret_names())
    listing(
        [{"key": one.key, "value": _shown(one.value), "source": one.source} for one in found.effective()],
        output,
        [
            ("KEY", lambda row: row["key"]),
            ("VALUE", lambda row: compact(row["value"])),
            ("FROM", lambda row: row["source"]),
        ],
        "nothing is set",
    )


def _shown(value: Any) -> Any:
    """The value without the secrets that stand in it."""
    text = json.dumps(value)
    shown = redacted(text)
    return value if shown == text else json.loads(shown)


@app.command()
def validate(project: Project = None) -> None:
    """Check caxton.toml, its modules and the project's own protocols. Exit code 2 when something is wrong.

    Each module is compiled as it would be for its agent; no daemon is needed, and nothing is written. Of an agent in
    Python it sees what can be seen without running it: errors of syntax, and imports that such an agent cannot have.

    \b
    Example:
      caxton config validate
    """
    found = configuration.load(connection.folder(project))
    options.options_of(found.config.deploy)
    problems = project_check.problems_of(found)
    if problems:
        raise ConfigurationError(
            "\n".join(problems[:1]) + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            hint="; ".join(problems[1:]) or "build the module, or correct its path",
        )
    talk(f"{found.file}: fine, {plural(len(found.config.agents), 'agent')}")
