"""The numbers of the platform's own agents in the journal; a number belongs to one name for ever."""

from __future__ import annotations

from typing import Final

AMS_NUMBER: Final = 1
DF_NUMBER: Final = 2
TIMER_NUMBER: Final = 3
PLATFORM_NUMBERS: Final = {"ams": AMS_NUMBER, "df": DF_NUMBER, "timer": TIMER_NUMBER}
FIRST_GUEST_NUMBER: Final = 16
