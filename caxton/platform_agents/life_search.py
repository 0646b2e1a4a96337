"""What a subscription to the `ams` is for: agents by name, by a pattern of names, or by what they offer in the `df`.

In: the content of a `subscribe`. Out: a search, for an `ams-agent-description`, or a `df-agent-description` where it
speaks of services. In JSON a name alone, and a description alone, are accepted as well:

    {"action": "search", "description": {"name": "worker-*"}}        {"name": "worker-*"}        "worker-*"
    {"action": "search", "description": {"services": [{"type": "worker"}]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from caxton.acl.json_value import is_object
from caxton.platform_agents.content_languages import JSON, ContentLanguage
from caxton.platform_agents.vocabulary import OBJECTS, Function, ManagementRequest, Reading

_AMS: Final = "ams-agent-description"
_DF: Final = "df-agent-description"
_BY_LIFE: Final[Mapping[str, Function]] = {"search": Function(_AMS, needs=False)}
_BY_SERVICE: Final[Mapping[str, Function]] = {"search": Function(_DF, needs=False)}
_SERVICE_KEYS: Final = OBJECTS[_DF].keys() - OBJECTS[_AMS].keys()


def life_search(form: ContentLanguage, content: Any, reading: Reading) -> ManagementRequest:
    """The search in the content of a `subscribe` to the `ams`; raises Declined."""
    if form is not JSON:
        return form.read(content, _BY_SERVICE if _DF in str(content) else _BY_LIFE, reading)
    if isinstance(content, str):
        content = {"name": content}
    if is_object(content) and "action" not in content:
        content = {"action": "search", "description": content.get("description", content)}
    wanted = content.get("description") if is_object(content) else None
    said = {str(key).lower().replace("_", "-") for key in wanted} if is_object(wanted) else set[str]()
    return form.read(content, _BY_SERVICE if said & _SERVICE_KEYS else _BY_LIFE, reading)


def names_like(pattern: str, name: str) -> bool:
    """Whether a full name is that one, or fits it as a pattern: `*` is any text, `?` any character."""
    return pattern == name or (("*" in pattern or "?" in pattern) and fnmatchcase(name, pattern))
