"""The command line: composes the collector and the orchestration, and holds no logic of theirs."""

__version__ = "0.1.0"
