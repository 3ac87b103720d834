"""What goes wrong, each told with the next step."""


class Trouble(Exception):
    """It can't be done; the message says why and what to do."""


class Unreachable(Trouble):
    """Nothing answers at the stack's address."""


class KeyRefused(Trouble):
    """401: the stack doesn't know the key."""


class ScopeMissing(Trouble):
    """403: the key may not do this."""


class RouteMissing(Trouble):
    """404 for a route: the stack is of an older version, or it is another service."""


class Conflict(Trouble):
    """409: it stands otherwise than that would need."""


class NotFound(Trouble):
    """404 for one thing: there is none of this id."""
