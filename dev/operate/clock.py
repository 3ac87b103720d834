"""Time: for pauses, deadlines and ages. Tests put their own in its place."""

import time
from datetime import datetime, timezone


class Clock:
    """The machine's clock."""

    def seconds(self) -> float:
        """Seconds since some moment; only differences mean something."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The time of day."""
        return datetime.now(timezone.utc)

    def pause(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


def growing(first: float, longest: float):
    """Pauses, each half as long again as the one before, up to `longest`."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 1.5, longest)


def parse(text) -> datetime | None:
    """A time as the API writes it; nothing if it is none."""
    try:
        # Before 3.11 Python reads no Z, and only 3 or 6 digits of a second.
        head, dot, rest = str(text).removesuffix("Z").partition(".")
        return datetime.fromisoformat(f"{head}{dot}{rest[:6].ljust(6, '0') if dot else ''}").replace(
            tzinfo=timezone.utc
        )
    except ValueError:
        return None


def short(text, now: datetime) -> str:
    """A time as the API writes it: to the second, or with its year to the minute if that is another."""
    moment = parse(text)
    if moment is None:
        return "-"
    return moment.strftime("%m-%d %H:%M:%S" if moment.year == now.year else "%Y-%m-%d %H:%M")


def span(seconds: float) -> str:
    """A length of time."""
    seconds = max(0.0, seconds)
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def lateness(delivery: dict) -> float | None:
    """How many seconds after its provider made it a delivery came; nothing if it doesn't say."""
    made, came = parse(delivery.get("occurredAt")), parse(delivery.get("receivedAt"))
    return None if made is None or came is None else (came - made).total_seconds()


def age(text, now: datetime) -> str:
    """How long ago a time was."""
    moment = parse(text)
    if moment is None:
        return "at an unknown time"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"
