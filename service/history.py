"""The history: what the database keeps of the verdicts."""

from typing import Literal

from service.part import Part


class HistorySettings(Part):
    """Which verdicts are stored: all, or only those of slots that are anomalous or within an alarm."""

    verdicts: Literal["all", "alarms"] = "all"
