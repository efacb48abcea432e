"""What the load adds to an event: page and campaign, device, place. Pure functions from Arrow to Arrow.

Every function computes once per distinct value of the column that it reads, so that the cost follows the number
of different pages, browsers and addresses, not the number of events.
"""

from orchestration.enrich.enrichment import enrich as enrich
from orchestration.enrich.places import Places as Places
from orchestration.enrich.places import open_places as open_places
