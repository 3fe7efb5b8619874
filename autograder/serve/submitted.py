"""When something was handed in, as results and receipts write it."""

from datetime import datetime, timezone


def submitted_text(at: float) -> str:
    """Seconds since 1970 in ISO 8601, in UTC, to the microsecond."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="microseconds")
