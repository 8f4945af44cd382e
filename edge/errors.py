"""The errors a user can mend, each saying what, where, expected and got."""


class ForesenseError(Exception):
    """Something the user gave is not as it must be; the message says how to mend it."""


class BundleError(ForesenseError):
    """A bundle is missing, incomplete, changed or does not give its golden verdicts."""


class ConfigError(ForesenseError):
    """A setting is unknown, missing or out of range."""


class DataError(ForesenseError):
    """Recorded data lacks something that is needed."""
