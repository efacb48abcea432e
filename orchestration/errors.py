"""The errors of the orchestration.

OrchestrationError
├── LedgerBusy          another load, compaction, purge or rebuild holds the ledger
├── ModelsBusy          another transform, purge or rebuild holds the models
├── BatchRefused        Postgres refuses rows of a batch; trying again will not help
├── DayNotOver          a day was to be closed before it ended
├── HistoryLoss         a rebuild would lose what the archive no longer holds
├── RebuildUnfinished   a rebuild was begun and must end before anything else
├── ArchiveDamaged      an archive object is not what the ledger says
└── EnrichmentUnusable  a file that enrichment needs cannot be read
"""


class OrchestrationError(Exception):
    """Base of every error raised by `orchestration`. The message names the thing and the remedy."""


class LedgerBusy(OrchestrationError):
    """Another load, compaction, purge or rebuild holds the ledger; nothing was done."""


class ModelsBusy(OrchestrationError):
    """Another transform, purge or rebuild holds the models; nothing was done."""


class BatchRefused(OrchestrationError):
    """Postgres refuses rows that the contract allows; the same rows will be refused again."""


class DayNotOver(OrchestrationError):
    """A day was to be closed before it ended; nothing was closed."""


class HistoryLoss(OrchestrationError):
    """Rebuilding would lose history that the archive no longer holds; nothing was changed."""


class RebuildUnfinished(OrchestrationError):
    """A rebuild was begun and has not finished; until then `raw` and the ledger are incomplete."""


class ArchiveDamaged(OrchestrationError):
    """An archive object is missing or is not what the ledger says."""


class EnrichmentUnusable(OrchestrationError):
    """A configured file that enrichment reads is missing or is something else."""
