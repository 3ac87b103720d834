"""Reads and runs what our docs and template ask of logs: filter patterns, and queries of Logs Insights.

Only what they use of both languages is known; anything else is `Unread`, so that no query is written that
nothing has ever run.
"""


class Unread(Exception):
    """A query that can't be read; the message says where."""
