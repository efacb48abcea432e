"""What stops a command."""


class CommandFailed(Exception):
    """A command cannot do what it was asked. The message is one line that says why and what to do about it."""
