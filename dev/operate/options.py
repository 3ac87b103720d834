"""The variables that people give to make, checked before anything is asked of the stack."""

import re
from datetime import date

from clock import parse
from trouble import Trouble

STATUSES = ("received", "processed", "failed", "dead", "ignored", "unprocessable", "discarded")
# They say which stack, or how make and the AWS CLI work, whatever the command.
ALWAYS = ("STAGE", "API_URL", "API_KEY", "LOCAL_DIR", "PYTHON", "NO_COLOR")
# Shells have this one of their own: from make it counts only if it was written on its command line.
WRITTEN = ("EMAIL",)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")


class Options:
    """One command's variables: `known` are those that it takes."""

    def __init__(self, command: str, known: tuple, environ: dict):
        self.values = {name: environ.get(name, "").strip() for name in known}
        for name in WRITTEN:
            if name in self.values and name not in environ.get("GIVEN", name).split():
                self.values[name] = ""
        # What was written on make's command line. A misspelt DRY_RUN that did nothing would be a
        # real run.
        for name in environ.get("GIVEN", "").split():
            if NAME.match(name) and name not in (*ALWAYS, *known) and not name.startswith("AWS_"):
                takes = ", ".join(known) if known else "none but STAGE"
                raise Trouble(f"make {command} takes no {name}; its variables: {takes}.")

    def text(self, name: str) -> str | None:
        """A value, or nothing."""
        return self.values[name] or None

    def given(self, *names: str) -> dict:
        """Those of the variables that have a value."""
        return {name: self.values[name] for name in names if self.values[name]}

    def count(self, name: str, otherwise: int | None) -> int | None:
        """A number of things, 1 or more."""
        value = self.values[name]
        if not value:
            return otherwise
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            raise Trouble(f"{name} must be a whole number from 1 on, not {value!r}.")
        return int(value)

    def switch(self, name: str) -> bool:
        """Yes or no. What is neither is an error: it may have been meant as a yes."""
        value = self.values[name].lower()
        if value in ("", "0", "false", "no"):
            return False
        if value in ("1", "true", "yes"):
            return True
        raise Trouble(f"{name} must be 1 or 0, not {value!r}.")

    def status(self, name: str) -> str | None:
        """A delivery's status."""
        value = self.values[name]
        if value and value not in STATUSES:
            raise Trouble(f"{name} must be one of {', '.join(STATUSES)}; not {value!r}.")
        return value or None

    def time(self, name: str) -> str | None:
        """A time as the API takes it; a date is its beginning in UTC."""
        value = self.values[name]
        if not value:
            return None
        try:
            return f"{date.fromisoformat(value).isoformat()}T00:00:00Z"
        except ValueError:
            pass
        if parse(re.sub(r"[+-]\d\d:\d\d$", "Z", value)) is None or not re.search(r"(Z|[+-]\d\d:\d\d)$", value):
            raise Trouble(f"{name} must be a date or a time, 2027-01-31 or 2027-01-31T09:00:00Z; not {value!r}.")
        return value

    def email(self, name: str) -> str | None:
        """An e-mail address."""
        value = self.values[name]
        if value and not re.fullmatch(r"[^@\s/]+@[^@\s/]+", value):
            raise Trouble(f"{name} must be an e-mail address, not {value!r}.")
        return value or None

    def ids(self, name: str) -> list:
        """Ids between commas or spaces, each once."""
        return list(dict.fromkeys(re.split(r"[,\s]+", self.values[name].strip(", ")))) if self.values[name] else []
