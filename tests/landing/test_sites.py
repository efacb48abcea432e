"""The sites file: each rule with the line and the path that its message names."""

import os
from ipaddress import ip_network
from pathlib import Path
from textwrap import dedent, indent

import pytest

from landing.errors import SitesFileInvalid
from landing.sites import Sites, SitesFile, check_sites, load_sites

MINIMAL = "version: 1\nsites:\n  shop: {name: Shop}\n"

DOCUMENTED = """\
version: 1
sites:
  shop:
    name: Shop
    url: https://shop.example/
    timezone: Europe/Berlin
    domains: [shop.example]
    origins: ["*"]
    secrets: [{name: dev, plain: "open sesame"}]
    ids:
      measurement_protocol: [UA-1-1, 6fa459ea-ee8a-4ca4-894e-db77e160355e]
      ga4: [{measurement_id: G-ABC123, api_secret: s3cret}]
      objectiv: [shop-app]
      alcolytics: ["1"]
      segment: [WRITE_KEY]
      snowplow: [shop-web]
    privacy: {ip: truncate, visitor: cookieless, gpc: cookieless, dnt: ignore, keep_raw: true}
    session: {timeout_s: 1800, split_at_midnight: true, split_on_campaign: true, campaign_timeout_days: 183}
    sources: {referral_exclusions: [], ignored_search_terms: [], channel_rules: ua, manual_tagging_override: false}
    limits: {events_per_minute: null, max_event_age_days: 30}
    goals:
      - {id: bought, name: Bought, type: destination, path: {equals: /thanks}, value: 10}
      - {id: stayed, name: Stayed, type: duration, longer_than_s: 300}
      - {id: read, name: Read, type: pages, more_than: 5}
      - {id: played, name: Played, type: event, event: {category: {equals: Videos}, value: {greater_than: 3}}}
    funnels:
      - id: buy
        name: Buy
        steps: [{name: Cart, page: {equals: /cart}}, {name: Thanks, page: {begins_with: /thanks}}]
    dimensions:
      - {index: 1, name: Plan, scope: user}
      - {index: 1, name: Score, type: metric, unit: integer}
default_site: null
hosts:
  stats.example.org: {protocol: objectiv, site: shop}
  telemetry.example.org: {protocol: pulp, fleet: pulp}
fleets:
  pulp:
    receive: {host: analytics.example.org, path: /, codec: protobuf, descriptor: pulp_checkin, max_body: 2621440}
    install_id: {from: system_id, type: uuid}
    one_per: utc_day
    drop_if: {any_component_version_not: '^[0-9]+[.][0-9]+[.][0-9]+$', duplicate_component: true}
    components: {from: components, name: name, version: version, levels: [2, 3], order: pep440}
    gauges: {worker_processes: online_workers.processes, worker_hosts: online_workers.hosts}
    numbers: {users: rbac_stats.users, groups: rbac_stats.groups}
    codes: {database: {from: postgresql_version, label: postgres_number}}
    persistent_min_age_days: 1
    forget_after_days: 14
    raw_retention_days: 14
tables:
  clicks:
    columns:
      - {name: time, type: timestamp, required: true}
      - {name: agent, header: User-Agent}
apps:
  game: {secret_key_sha256: aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f, tables: [clicks]}
redirects: [partner.example]
trusted_proxies: [127.0.0.1/32, "::1/128", 10.0.0.0/8]
"""


def test_the_documented_file_is_valid() -> None:
    check = check_sites(DOCUMENTED)

    assert check.problems == ()
    assert check.sites is not None
    shop = check.sites.sites["shop"]
    assert shop.site_id == "shop"
    assert shop.zone.key == "Europe/Berlin"
    assert [goal.type for goal in shop.goals] == ["destination", "duration", "pages", "event"]
    assert check.sites.fleets["pulp"].install_id.from_ == "system_id"
    assert ip_network("10.0.0.0/8") in check.sites.trusted_proxies


def test_what_is_left_out_has_the_documented_default() -> None:
    sites = load_sites(MINIMAL)

    shop = sites.sites["shop"]
    assert shop.model_dump() == {
        "name": "Shop",
        "url": None,
        "timezone": "UTC",
        "domains": (),
        "origins": ("*",),
        "secrets": (),
        "ids": {
            "measurement_protocol": (),
            "ga4": (),
            "objectiv": (),
            "alcolytics": (),
            "segment": (),
            "snowplow": (),
            "plausible": (),
        },
        "privacy": {
            "ip": "truncate",
            "visitor": "cookieless",
            "gpc": "cookieless",
            "dnt": "ignore",
            "keep_raw": True,
        },
        "session": {
            "timeout_s": 1800,
            "split_at_midnight": True,
            "split_on_campaign": True,
            "campaign_timeout_days": 183,
        },
        "sources": {
            "referral_exclusions": (),
            "ignored_search_terms": (),
            "channel_rules": "ua",
            "manual_tagging_override": False,
        },
        "limits": {"events_per_minute": None, "max_event_age_days": 30, "max_queue_time_ms": 14_400_000},
        "goals": (),
        "funnels": (),
        "dimensions": (),
    }
    assert sites.default_site is None
    assert sites.trusted_proxies == (ip_network("127.0.0.1/32"),)


def test_the_home_host_is_no_referrer_unless_the_file_says_otherwise() -> None:
    site = load_sites("version: 1\nsites: {a: {name: A, url: 'https://WWW.Shop.example/x'}}").sites["a"]
    told = load_sites(
        "version: 1\nsites: {a: {name: A, url: 'https://shop.example', sources: {referral_exclusions: [pay.example]}}}"
    ).sites["a"]

    assert site.home_host == "www.shop.example"
    assert site.excluded_referrers == ("shop.example",)
    assert told.excluded_referrers == ("pay.example",)


def cases(table: list[tuple[str, str, int, str, str]]) -> list:
    """A row's first column names its test."""
    return [pytest.param(*rest, id=rule) for rule, *rest in table]


SITE_RULES = [
    ("an unknown key", "colour: red", 4, "colour", "unknown key"),
    ("no such time zone", "timezone: Europe/Atlantis", 4, "timezone", "no such time zone"),
    ("a folder of time zones", "timezone: Europe", 4, "timezone", "no such time zone"),
    ("a path as time zone", "timezone: ../../etc/passwd", 4, "timezone", "no such time zone"),
    ("a home page without scheme", "url: shop.example", 4, "url", "not a web address"),
    ("a domain with scheme", "domains: [https://shop.example]", 4, "domains[0]", "not a host name"),
    ("an origin with path", "origins: [https://shop.example/a]", 4, "origins[0]", "not an origin"),
    ("no timeout", "session:\n  timeout_s: 0", 5, "session.timeout_s", "greater than or equal to 1 (is 0)"),
    ("over a day", "session:\n  timeout_s: 86401", 5, "session.timeout_s", "less than or equal to 86400 (is 86401)"),
    ("text for a number", "session: {timeout_s: long}", 4, "session.timeout_s", "valid integer"),
    ("no such policy", "privacy:\n  gpc: maybe", 5, "privacy.gpc", "'cookieless', 'drop' or 'ignore' (is 'maybe')"),
    ("a number as id", "ids:\n  alcolytics: [1]", 5, "ids.alcolytics[0]", "valid string (is 1)"),
    ("no rate", "limits: {events_per_minute: 0}", 4, "limits.events_per_minute", "greater than or equal to 1"),
    ("neither hash nor plain", "secrets:\n- {name: a}", 5, "secrets[0]", "needs either hash or plain"),
    ("both", "secrets:\n- {name: a, plain: b, hash: c}", 5, "secrets[0]", "needs either hash or plain"),
    ("not a hash", "secrets:\n- name: a\n  hash: md5", 5, "secrets[0]", "not a hash made by"),
    ("a greedy hash", "secrets:\n- {name: a, hash: scrypt$20$32$1$AA==$AA==}", 5, "secrets[0]", "more memory or time"),
    ("a list for a section", "privacy: []", 4, "privacy", "keys and values belong here"),
    ("a goal of no type", "goals:\n- {id: a, name: A}", 5, "goals[0]", "required key is missing: type"),
    ("a goal of unknown type", "goals:\n- {id: a, name: A, type: x}", 5, "goals[0]", "does not match any"),
    ("a goal without its rule", "goals:\n- {id: a, name: A, type: pages}", 5, "goals[0].more_than", "is missing"),
    (
        "an event goal without id",
        "goals:\n- {name: A, type: event, event: {name: {equals: x}}}",
        5,
        "goals[0].id",
        "is missing",
    ),
    ("no condition", "goals:\n- id: a\n  name: A\n  type: event\n  event: {}", 8, "goals[0].event", "at least one of"),
    (
        "two conditions in one",
        "goals:\n- id: a\n  name: A\n  type: destination\n  path: {equals: a, regex: b}",
        8,
        "goals[0].path",
        "exactly one of",
    ),
    (
        "no regular expression",
        "goals:\n- id: a\n  name: A\n  type: destination\n  path:\n    regex: '('",
        9,
        "goals[0].path.regex",
        "not a regular expression",
    ),
    ("two goals of one id", "goals: [&g {id: a, name: A, type: pages, more_than: 1}, *g]", 3, "", "two goals"),
    (
        "a funnel of one step",
        "funnels:\n- {id: a, name: A, steps: [{name: S, page: {equals: /}}]}",
        5,
        "funnels[0].steps",
        "at least 2",
    ),
    ("a dimension without name", "dimensions:\n- {scope: hit}", 5, "dimensions[0]", "needs index or name"),
    ("a dimension with unit", "dimensions:\n- {index: 1, unit: time}", 5, "dimensions[0]", "only a metric has a unit"),
    ("a dimension out of range", "dimensions:\n- {index: 201}", 5, "dimensions[0].index", "less than or equal to 200"),
]


@pytest.mark.parametrize(("body", "line", "path", "message"), cases(SITE_RULES))
def test_a_broken_rule_of_a_site_is_told_with_line_and_path(body: str, line: int, path: str, message: str) -> None:
    text = "version: 1\nsites:\n  shop:\n" + indent(body, "    ") + "\n    name: Shop\n"

    (problem,) = check_sites(text).problems

    assert problem.line == line
    assert problem.path == f"sites.shop.{path}".rstrip(".")
    assert message in problem.message


FILE_RULES = [
    ("an empty file", "", 1, "", "the file holds no keys"),
    ("a list", "- a", 1, "", "the file holds no keys"),
    ("not YAML", "version: 1\nsites: [", 2, "", "not YAML"),
    ("a tab", "version: 1\nsites:\n\tshop: {}", 3, "", "not YAML"),
    ("a control character", "version: \x01", 1, "", "not YAML"),
    ("a python object", "version: !!python/object/apply:os.getcwd []", 1, "", "not YAML"),
    ("a key twice", MINIMAL + "version: 1", 4, "version", "stands here twice"),
    ("a site twice", MINIMAL + "  shop: {name: B}", 4, "sites.shop", "stands here twice"),
    ("a key that YAML takes for a boolean", MINIMAL + "  no: {name: Norge}", 4, "sites", "'no' is no text as a key"),
    ("a document within itself", "version: &a [*a]", 1, "", "refers to itself"),
    ("no version", "sites: {a: {name: A}}", 1, "version", "required key is missing"),
    ("a newer version", "sites: {a: {name: A}}\nversion: 2", 2, "version", "Input should be 1 (is 2)"),
    ("nobody", "version: 1\nsites: {}", 2, "sites", "no site, no fleet and no app"),
    ("a site without name", "version: 1\nsites:\n  shop: {}", 3, "sites.shop.name", "required key is missing"),
    ("a site id in capitals", "version: 1\nsites:\n  Shop: {name: S}", 3, "sites.Shop", "should match pattern"),
    ("an unknown key", MINIMAL + "colour: red", 4, "colour", "unknown key"),
    ("a default site that is not there", MINIMAL + "default_site: b", 4, "default_site", "there is no site 'b'"),
    ("a host of no site", MINIMAL + "hosts:\n  x.y: {protocol: ga4, site: b}", 5, 'hosts["x.y"].site', "no site 'b'"),
    ("a host of no fleet", MINIMAL + "hosts:\n  x: {protocol: pulp, fleet: b}", 5, "hosts.x.fleet", "no fleet 'b'"),
    ("a host without site", MINIMAL + "hosts:\n  x: {protocol: ga4}", 5, "hosts.x", "a site and no fleet"),
    ("a host of no protocol", MINIMAL + "hosts:\n  x: {protocol: smtp}", 5, "hosts.x.protocol", "Input should be"),
    ("an app without table", MINIMAL + "apps:\n  a: {secret_key: k, tables: [t]}", 5, "apps.a.tables[0]", "no table"),
    ("an app without key", MINIMAL + "apps:\n  a: {tables: []}", 5, "apps.a", "needs secret_key"),
    ("our own column", MINIMAL + "tables: {t: {columns: [{name: _app}]}}", 4, "tables.t.columns[0].name", "taken"),
    ("a long name", MINIMAL + f"tables: {{{'t' * 64}: {{columns: []}}}}", 4, f"tables.{'t' * 64}", "1 to 63 bytes"),
    (
        "an origin with a path",
        MINIMAL + "apps:\n  a: {secret_key: k, tables: [], access_control_allow_origin: https://a.b/c}",
        5,
        "apps.a.access_control_allow_origin[0]",
        "not an origin",
    ),
    (
        "a header that is no text",
        MINIMAL + "tables: {t: {columns: [{name: a, type: i32, header: X}]}}",
        4,
        "tables.t.columns[0]",
        "has the type string",
    ),
    ("a column twice", MINIMAL + "tables: {t: {columns: [{name: a}, {name: a}]}}", 4, "tables.t", "named twice: a"),
    (
        "a network with host bits",
        MINIMAL + "trusted_proxies:\n- 10.0.0.1/8",
        5,
        "trusted_proxies[0]",
        "IPv4 or IPv6 network",
    ),
    (
        "a fleet that takes every host's root",
        MINIMAL + "fleets:\n  f: {install_id: {from: id}}",
        5,
        "fleets.f.receive",
        "needs a host",
    ),
    (
        "a message nobody ships",
        MINIMAL + "fleets:\n  f: {receive: {host: x.y, codec: protobuf}, install_id: {from: id}}",
        5,
        "fleets.f.receive",
        "descriptor goes with codec protobuf",
    ),
    ("a fleet without id", MINIMAL + "fleets:\n  f: {}", 5, "fleets.f.install_id", "required key is missing"),
]


@pytest.mark.parametrize(("text", "line", "path", "message"), cases(FILE_RULES))
def test_a_broken_rule_of_the_file_is_told_with_line_and_path(text: str, line: int, path: str, message: str) -> None:
    (problem,) = check_sites(text).problems

    assert (problem.line, problem.path) == (line, path)
    assert message in problem.message


def test_every_problem_is_listed_in_the_order_of_the_file() -> None:
    text = dedent("""\
        version: 1
        sites:
          b: {name: B, timezone: Mars/Olympus}
          a:
            name: A
            session: {timeout_s: 0}
        colour: red
        """)

    with pytest.raises(SitesFileInvalid) as caught:
        load_sites(text)

    assert str(caught.value).splitlines() == [
        "line 3: sites.b.timezone: no such time zone: write an IANA name as in Europe/Berlin (is 'Mars/Olympus')",
        "line 6: sites.a.session.timeout_s: Input should be greater than or equal to 1 (is 0)",
        "line 7: colour: unknown key",
    ]


def test_one_id_cannot_name_two_sites() -> None:
    text = "version: 1\nsites:\n  a: {name: A, ids: {segment: [K]}}\n  b:\n    name: B\n    ids:\n      segment: [K]\n"

    (problem,) = check_sites(text).problems

    assert str(problem) == "line 7: sites.b.ids.segment: 'K' names the site 'a' already"


@pytest.mark.parametrize(
    "body",
    [
        "secrets: [hunter2]",
        "secrets: [{name: a, plain: hunter2, hash: hunter2}]",
        "secrets: [{name: a, hash: hunter2}]",
        "secrets: [{name: a, plain: hunter2, expires: never}]",
        "ids: {ga4: [hunter2]}",
        "ids: {ga4: [{measurement_id: 1, api_secret: hunter2}]}",
    ],
)
def test_no_message_and_no_representation_repeats_a_secret(body: str) -> None:
    check = check_sites(f"version: 1\nsites: {{a: {{name: A, {body}}}}}")

    assert check.problems
    assert "hunter2" not in repr(check)


def test_secrets_in_clear_text_are_warned_about() -> None:
    text = MINIMAL + "  b:\n    name: B\n    secrets:\n    - name: dev\n      plain: open sesame\n"

    check = check_sites(text)

    assert check.sites is not None
    (warning,) = check.warnings
    assert str(warning).startswith("line 8: sites.b.secrets[0].plain: a secret in clear text")
    assert "sesame" not in repr(check)


def test_a_merged_mapping_counts_and_its_problems_have_a_line() -> None:
    good = "version: 1\nsites:\n  a: &a {name: A, timezone: Europe/Berlin}\n  b:\n    <<: *a\n    name: B\n"

    sites = load_sites(good)
    (first, second) = check_sites(good.replace("Berlin", "Atlantis")).problems

    assert (sites.sites["b"].name, sites.sites["b"].timezone) == ("B", "Europe/Berlin")
    assert (first.line, second.line) == (3, 3)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes("version: 1 # ä".encode("latin-1"))

    assert "cannot be read: No such file" in str(check_sites(tmp_path / "none.yml").problems[0])
    assert "is not UTF-8" in str(check_sites(tmp_path / "latin.yml").problems[0])


class Watch:
    """A sites file and a clock that a test moves."""

    def __init__(self, folder: Path, text: str) -> None:
        self.path = folder / "sites.yml"
        self.now_s = 100.0
        self.write(text)
        self.file = SitesFile(self.path, clock=lambda: self.now_s)

    def write(self, text: str) -> None:
        """Replaces the file as careful editors do."""
        temporary = self.path.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(self.path)

    def after_looks(self, looks: int = 2) -> Sites:
        for _ in range(looks):
            self.now_s += 1
            sites = self.file.current()
        return sites


def test_a_changed_file_is_picked_up_within_two_looks(tmp_path: Path) -> None:
    watch = Watch(tmp_path, MINIMAL)
    before = watch.file.current()

    watch.write(MINIMAL.replace("Shop", "Store"))

    assert watch.file.current() is before
    assert watch.after_looks().sites["shop"].name == "Store"
    assert watch.file.current() is watch.file.current()


def test_an_invalid_file_leaves_the_old_content_and_says_why(tmp_path: Path) -> None:
    watch = Watch(tmp_path, MINIMAL)

    watch.write("version: 1\nsites: {}\n")
    kept = watch.after_looks()
    error = watch.file.error

    assert kept.sites["shop"].name == "Shop"
    assert error is not None
    assert error.problems[0].path == "sites"
    watch.after_looks()
    assert watch.file.error is error
    watch.write(MINIMAL.replace("Shop", "Store"))
    assert watch.after_looks().sites["shop"].name == "Store"
    assert watch.file.error is None


def test_a_file_that_vanishes_leaves_the_old_content(tmp_path: Path) -> None:
    watch = Watch(tmp_path, MINIMAL)

    watch.path.unlink()

    assert watch.after_looks().sites["shop"].name == "Shop"
    assert "cannot be read" in str(watch.file.error)


def test_a_file_that_is_still_being_written_is_not_taken(tmp_path: Path) -> None:
    watch = Watch(tmp_path, MINIMAL + "  blog: {name: Blog}\n")

    watch.path.write_text(MINIMAL)  # valid so far, but the writer goes on
    half = watch.after_looks(1)
    watch.path.write_text(MINIMAL + "  blog: {name: Journal}\n")

    assert set(half.sites) == {"shop", "blog"}
    assert watch.after_looks().sites["blog"].name == "Journal"


def test_the_same_size_in_the_same_instant_in_another_file_is_a_change(tmp_path: Path) -> None:
    watch = Watch(tmp_path, MINIMAL)
    status = watch.path.stat()

    watch.write(MINIMAL.replace("Shop", "Mall"))
    os.utime(watch.path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert watch.after_looks().sites["shop"].name == "Mall"


def test_without_valid_content_there_is_nothing_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(SitesFileInvalid, match="cannot be read"):
        SitesFile(tmp_path / "sites.yml")
