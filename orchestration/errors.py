"""The errors of the orchestration.

OrchestrationError
├── LedgerBusy          another load, purge or rebuild holds the ledger
├── BatchRefused        Postgres refuses rows of a batch; trying again will not help
├── RebuildRefused      a rebuild or full refresh would lose history
└── EnrichmentUnusable  a file that enrichment needs cannot be read
"""


class OrchestrationError(Exception):
    """Base of every error raised by `orchestration`. The message names the thing and the remedy."""


class LedgerBusy(OrchestrationError):
    """Another load, purge or rebuild holds the ledger; nothing was done."""


class BatchRefused(OrchestrationError):
    """Postgres refuses rows that the contract allows; the same rows will be refused again."""


class RebuildRefused(OrchestrationError):
    """Rebuilding would lose history that the archive no longer holds; nothing was changed."""


class EnrichmentUnusable(OrchestrationError):
    """A configured file that enrichment reads is missing or is something else."""
