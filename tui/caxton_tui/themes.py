"""The themes that `d` goes through: dark, light, and high contrast.

In: nothing. Out: Textual's themes by name, and one of our own in which everything is black, white or a full colour.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = "textual-dark"
LIGHT: Final = "textual-light"
CONTRAST: Final = "caxton-contrast"
ROUND: Final = (DARK, LIGHT, CONTRAST)

HIGH_CONTRAST: Final = Theme(
    name=CONTRAST,
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    boost="#000000",
    warning="#ffff00",
    error="#ff6060",
    success="#60ff60",
    dark=True,
    variables={
        "block-cursor-background": "#ffffff",
        "block-cursor-foreground": "#000000",
        "text-primary": "#ffffff",
        "text-accent": "#60ffff",
        "text-warning": "#ffff00",
        "text-error": "#ff8080",
        "text-success": "#60ff60",
        "footer-key-foreground": "#ffff00",
    },
)


def following(theme: str) -> str:
    """The theme after that one."""
    return ROUND[(ROUND.index(theme) + 1) % len(ROUND)] if theme in ROUND else DARK
