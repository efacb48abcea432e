"""Which site a client means."""

from collector.plans import SiteDirectory
from landing.credentials import SecretVerifier
from landing.sites import load_sites

SITES = """\
version: 1
sites:
  shop:
    name: Shop
    ids:
      measurement_protocol: [UA-1-1]
      ga4: [{measurement_id: G-ABC123, api_secret: s3cret}]
      objectiv: [shop-app]
      alcolytics: ["1"]
      segment: [WRITE_KEY]
      snowplow: [shop-web]
"""


def test_a_site_is_found_by_the_ids_of_other_families() -> None:
    directory = SiteDirectory(load_sites(SITES), SecretVerifier())

    for family, key in [
        ("measurement_protocol", "UA-1-1"),
        ("ga4", "G-ABC123"),
        ("objectiv", "shop-app"),
        ("alcolytics", "1"),
        ("segment", "WRITE_KEY"),
        ("snowplow", "shop-web"),
    ]:
        site = directory.named(family, key)
        assert site is not None
        assert site.site_id == "shop"
    assert directory.named("segment", "UA-1-1") is None
