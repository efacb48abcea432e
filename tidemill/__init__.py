"""The command line: composes the collector and the orchestration, and holds no logic of theirs."""
