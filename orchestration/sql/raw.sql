-- Generated from landing/contract.py by `tidemill contract write`; edit the contract instead.
--
-- Each block does nothing while the table's comment names its own definition, so that a start takes no lock that
-- a running load or transform would wait for. A definition that differs adds columns; it never changes or drops one.

create schema if not exists raw;

do $$
begin
    if obj_description(to_regclass('raw.events'), 'pg_class') = 'one row per thing that happened, as often as it was delivered (contract 1, definition 31fb954d52f9)' then
        return;
    end if;

    -- grain: one row per thing that happened, as often as it was delivered
    create table if not exists raw.events (
        event_id uuid not null,
        is_interaction boolean not null,
        occurred_at timestamptz not null,
        received_at timestamptz not null,
        request_index integer not null,
        segment_row bigint not null,
        is_bot boolean not null,
        loaded_at timestamptz not null,
        site_id text not null,
        protocol text not null,
        event_type text not null,
        time_flag text not null,
        visitor_id_kind text not null,
        request_id text not null,
        collector_id text not null,
        segment_id text not null,
        batch_id text collate "C" not null,
        client_time timestamptz,
        sent_at timestamptz,
        client_session_number bigint,
        http_status integer,
        value double precision,
        engaged_ms bigint,
        scroll_percent smallint,
        engaged_delta_ms bigint,
        screen_width integer,
        screen_height integer,
        viewport_width integer,
        viewport_height integer,
        gpc boolean,
        content_hash integer,
        client_event_id text,
        protocol_version text,
        tracking_key text,
        event_name text,
        visitor_id text,
        user_id text,
        previous_id text,
        group_id text,
        client_session_id text,
        session_control text,
        page_view_id text,
        page_url text,
        page_title text,
        page_referrer text,
        screen_name text,
        content_group text[],
        campaign_id text,
        campaign_name text,
        campaign_source text,
        campaign_medium text,
        campaign_term text,
        campaign_content text,
        click_id text,
        click_id_kind text,
        category text,
        action text,
        label text,
        order_id text,
        order_action text,
        revenue numeric(18, 6),
        tax numeric(18, 6),
        shipping numeric(18, 6),
        currency text,
        coupon text,
        affiliation text,
        items jsonb,
        user_agent text,
        client_hints jsonb,
        language text,
        time_zone text,
        app_name text,
        app_version text,
        app_id text,
        library text,
        library_version text,
        automation text,
        ip text,
        consent jsonb,
        props jsonb,
        contexts jsonb,
        dimensions jsonb,
        metrics jsonb,
        traits jsonb,
        warnings text[],
        raw jsonb,
        geo_country text,
        geo_region text,
        geo_city text,
        geo_continent text,
        geo_time_zone text,
        device_kind text,
        browser text,
        browser_version text,
        os text,
        os_version text,
        bot_name text,
        page_host text,
        page_path text,
        page_query text,
        utm_source text,
        utm_medium text,
        utm_campaign text,
        utm_term text,
        utm_content text,
        utm_id text,
        referrer_host text
    ) partition by range (received_at);

    alter table raw.events
        add column if not exists client_event_id text,
        add column if not exists protocol_version text,
        add column if not exists tracking_key text,
        add column if not exists event_name text,
        add column if not exists client_time timestamptz,
        add column if not exists sent_at timestamptz,
        add column if not exists visitor_id text,
        add column if not exists user_id text,
        add column if not exists previous_id text,
        add column if not exists group_id text,
        add column if not exists client_session_id text,
        add column if not exists client_session_number bigint,
        add column if not exists session_control text,
        add column if not exists page_view_id text,
        add column if not exists page_url text,
        add column if not exists page_title text,
        add column if not exists page_referrer text,
        add column if not exists screen_name text,
        add column if not exists content_group text[],
        add column if not exists http_status integer,
        add column if not exists campaign_id text,
        add column if not exists campaign_name text,
        add column if not exists campaign_source text,
        add column if not exists campaign_medium text,
        add column if not exists campaign_term text,
        add column if not exists campaign_content text,
        add column if not exists click_id text,
        add column if not exists click_id_kind text,
        add column if not exists category text,
        add column if not exists action text,
        add column if not exists label text,
        add column if not exists value double precision,
        add column if not exists order_id text,
        add column if not exists order_action text,
        add column if not exists revenue numeric(18, 6),
        add column if not exists tax numeric(18, 6),
        add column if not exists shipping numeric(18, 6),
        add column if not exists currency text,
        add column if not exists coupon text,
        add column if not exists affiliation text,
        add column if not exists items jsonb,
        add column if not exists engaged_ms bigint,
        add column if not exists scroll_percent smallint,
        add column if not exists engaged_delta_ms bigint,
        add column if not exists user_agent text,
        add column if not exists client_hints jsonb,
        add column if not exists language text,
        add column if not exists screen_width integer,
        add column if not exists screen_height integer,
        add column if not exists viewport_width integer,
        add column if not exists viewport_height integer,
        add column if not exists time_zone text,
        add column if not exists app_name text,
        add column if not exists app_version text,
        add column if not exists app_id text,
        add column if not exists library text,
        add column if not exists library_version text,
        add column if not exists automation text,
        add column if not exists ip text,
        add column if not exists consent jsonb,
        add column if not exists gpc boolean,
        add column if not exists props jsonb,
        add column if not exists contexts jsonb,
        add column if not exists dimensions jsonb,
        add column if not exists metrics jsonb,
        add column if not exists traits jsonb,
        add column if not exists warnings text[],
        add column if not exists raw jsonb,
        add column if not exists content_hash integer,
        add column if not exists geo_country text,
        add column if not exists geo_region text,
        add column if not exists geo_city text,
        add column if not exists geo_continent text,
        add column if not exists geo_time_zone text,
        add column if not exists device_kind text,
        add column if not exists browser text,
        add column if not exists browser_version text,
        add column if not exists os text,
        add column if not exists os_version text,
        add column if not exists bot_name text,
        add column if not exists page_host text,
        add column if not exists page_path text,
        add column if not exists page_query text,
        add column if not exists utm_source text,
        add column if not exists utm_medium text,
        add column if not exists utm_campaign text,
        add column if not exists utm_term text,
        add column if not exists utm_content text,
        add column if not exists utm_id text,
        add column if not exists referrer_host text;

    create index if not exists events_batch on raw.events using brin (batch_id);

    comment on column raw.events.event_id is 'UUID of the event: the client''s own id where it is one, else derived from site, protocol and the client''s id, else made at receipt. Delivering an event twice repeats it.';
    comment on column raw.events.client_event_id is 'The client''s id as sent.';
    comment on column raw.events.site_id is 'Site that owns the event.';
    comment on column raw.events.protocol is 'Dialect in which it arrived.';
    comment on column raw.events.protocol_version is 'Version of that dialect.';
    comment on column raw.events.tracking_key is 'The id the client used for the site.';
    comment on column raw.events.event_type is 'What kind of thing happened. One of page_view, screen_view, event, engagement, link_click, form, identify, alias, group, transaction, item, timing, exception, social, vitals, consent, heartbeat.';
    comment on column raw.events.event_name is 'The sender''s name for it.';
    comment on column raw.events.is_interaction is 'A person did it: it counts against a bounce.';
    comment on column raw.events.occurred_at is 'When it happened, by our clock.';
    comment on column raw.events.received_at is 'When the collector received it.';
    comment on column raw.events.client_time is 'When it happened, by the client''s clock, as sent.';
    comment on column raw.events.sent_at is 'When it was sent, by the client''s clock, as sent.';
    comment on column raw.events.time_flag is 'How occurred_at was found. One of ok, corrected, clamped_future, late, queued, imported, no_client_time.';
    comment on column raw.events.visitor_id is 'Pseudonymous browser or installation within the site.';
    comment on column raw.events.visitor_id_kind is 'Where visitor_id comes from. One of cookie, client, session, hashed, install, none.';
    comment on column raw.events.user_id is 'A person, when the site says so.';
    comment on column raw.events.previous_id is 'The id that an alias replaces.';
    comment on column raw.events.group_id is 'Account or organisation of the user.';
    comment on column raw.events.client_session_id is 'Session id made by the client.';
    comment on column raw.events.client_session_number is 'The client''s count of its sessions, from 1.';
    comment on column raw.events.session_control is 'The client asks to start or end a session. One of start, end.';
    comment on column raw.events.page_view_id is 'Id that joins the events of one page view.';
    comment on column raw.events.page_url is 'Address of the page.';
    comment on column raw.events.page_title is 'Title of the page.';
    comment on column raw.events.page_referrer is 'Address of the page that led here.';
    comment on column raw.events.screen_name is 'Screen of an app.';
    comment on column raw.events.content_group is 'Content groups of the page.';
    comment on column raw.events.http_status is 'Status with which the page was served.';
    comment on column raw.events.campaign_id is 'Campaign id.';
    comment on column raw.events.campaign_name is 'Campaign name.';
    comment on column raw.events.campaign_source is 'Campaign source.';
    comment on column raw.events.campaign_medium is 'Campaign medium.';
    comment on column raw.events.campaign_term is 'Campaign keyword.';
    comment on column raw.events.campaign_content is 'Campaign content.';
    comment on column raw.events.click_id is 'Ad click id, from a parameter or else from the URL.';
    comment on column raw.events.click_id_kind is 'Parameter that carried click_id, such as gclid.';
    comment on column raw.events.category is 'Event category.';
    comment on column raw.events.action is 'Event action.';
    comment on column raw.events.label is 'Event label.';
    comment on column raw.events.value is 'Event value.';
    comment on column raw.events.order_id is 'Order id.';
    comment on column raw.events.order_action is 'Step of the order. One of detail, click, add, remove, checkout, checkout_option, purchase, refund.';
    comment on column raw.events.revenue is 'Total in currency, with tax and shipping.';
    comment on column raw.events.tax is 'Tax in currency.';
    comment on column raw.events.shipping is 'Shipping in currency.';
    comment on column raw.events.currency is 'ISO 4217 code.';
    comment on column raw.events.coupon is 'Coupon of the order.';
    comment on column raw.events.affiliation is 'Shop or partner.';
    comment on column raw.events.items is 'List of {sku, name, brand, category, variant, price, quantity, …}.';
    comment on column raw.events.engaged_ms is 'Milliseconds of attention so far, cumulative per page view.';
    comment on column raw.events.scroll_percent is 'Deepest scroll position so far, 0 to 100.';
    comment on column raw.events.engaged_delta_ms is 'Milliseconds of attention since the client last told, of clients that keep no total.';
    comment on column raw.events.user_agent is 'User agent text.';
    comment on column raw.events.client_hints is 'User agent client hints.';
    comment on column raw.events.language is 'Language of the client.';
    comment on column raw.events.screen_width is 'Screen width in pixels.';
    comment on column raw.events.screen_height is 'Screen height in pixels.';
    comment on column raw.events.viewport_width is 'Viewport width in pixels.';
    comment on column raw.events.viewport_height is 'Viewport height in pixels.';
    comment on column raw.events.time_zone is 'IANA time zone of the client.';
    comment on column raw.events.app_name is 'Name of the app.';
    comment on column raw.events.app_version is 'Version of the app.';
    comment on column raw.events.app_id is 'Id of the app.';
    comment on column raw.events.library is 'Client library.';
    comment on column raw.events.library_version is 'Version of the client library.';
    comment on column raw.events.automation is 'Why the client looks automated; null for a person.';
    comment on column raw.events.ip is 'Address, truncated unless the site says otherwise.';
    comment on column raw.events.consent is 'Consent as told by the client.';
    comment on column raw.events.gpc is 'Global Privacy Control was set.';
    comment on column raw.events.props is 'What the sender attached.';
    comment on column raw.events.contexts is 'Typed contexts, location stacks, global contexts.';
    comment on column raw.events.dimensions is 'Custom dimensions by index or name.';
    comment on column raw.events.metrics is 'Custom metrics by index or name.';
    comment on column raw.events.traits is 'What the site says of the user or group.';
    comment on column raw.events.warnings is 'What was repaired, as code:field.';
    comment on column raw.events.request_id is 'Id of the HTTP request, made at receipt.';
    comment on column raw.events.request_index is 'Position within the request, from 0.';
    comment on column raw.events.collector_id is 'Collector process that accepted the row.';
    comment on column raw.events.segment_id is 'Spool segment that held the row.';
    comment on column raw.events.segment_row is 'Position within the segment, from 0.';
    comment on column raw.events.raw is 'The original event, while the site keeps it.';
    comment on column raw.events.content_hash is 'CRC32 of what every delivery of the event repeats. Two events with one id and different hashes are two events.';
    comment on column raw.events.geo_country is 'ISO 3166 code of the country.';
    comment on column raw.events.geo_region is 'English name of the first subdivision.';
    comment on column raw.events.geo_city is 'English name of the city.';
    comment on column raw.events.geo_continent is 'Two-letter code of the continent.';
    comment on column raw.events.geo_time_zone is 'IANA time zone of the place.';
    comment on column raw.events.device_kind is 'Kind of device. One of desktop, mobile, tablet, tv, bot, other.';
    comment on column raw.events.browser is 'Browser family.';
    comment on column raw.events.browser_version is 'Browser version, major.minor.';
    comment on column raw.events.os is 'Operating system family.';
    comment on column raw.events.os_version is 'Operating system version, major.minor.';
    comment on column raw.events.is_bot is 'A crawler or an automated client; kept, not counted.';
    comment on column raw.events.bot_name is 'Name of the crawler or the reason of the flag.';
    comment on column raw.events.page_host is 'Host of page_url, lower case, without port.';
    comment on column raw.events.page_path is 'Path of page_url, / when empty.';
    comment on column raw.events.page_query is 'Query of page_url without the question mark.';
    comment on column raw.events.utm_source is 'utm_source of page_url.';
    comment on column raw.events.utm_medium is 'utm_medium of page_url.';
    comment on column raw.events.utm_campaign is 'utm_campaign of page_url.';
    comment on column raw.events.utm_term is 'utm_term, else utm_keyword, of page_url.';
    comment on column raw.events.utm_content is 'utm_content of page_url.';
    comment on column raw.events.utm_id is 'utm_id of page_url.';
    comment on column raw.events.referrer_host is 'Host of page_referrer, lower case, without port.';
    comment on column raw.events.batch_id is 'Batch that loaded the row; ids sort in load order.';
    comment on column raw.events.loaded_at is 'When that batch was planned.';
    comment on table raw.events is 'one row per thing that happened, as often as it was delivered (contract 1, definition 31fb954d52f9)';
end
$$;

do $$
begin
    if obj_description(to_regclass('raw.rejects'), 'pg_class') = 'one row per event or request that was refused (contract 1, definition 07187a843837)' then
        return;
    end if;

    -- grain: one row per event or request that was refused
    create table if not exists raw.rejects (
        reject_id uuid not null,
        received_at timestamptz not null,
        request_index integer not null,
        segment_row bigint not null,
        loaded_at timestamptz not null,
        protocol text not null,
        reason text not null,
        request_id text not null,
        collector_id text not null,
        segment_id text not null,
        batch_id text collate "C" not null,
        body_bytes bigint,
        site_id text,
        tracking_key text,
        detail text,
        method text,
        path text,
        query text,
        headers jsonb,
        body text,
        ip text
    ) partition by range (received_at);

    alter table raw.rejects
        add column if not exists site_id text,
        add column if not exists tracking_key text,
        add column if not exists detail text,
        add column if not exists method text,
        add column if not exists path text,
        add column if not exists query text,
        add column if not exists headers jsonb,
        add column if not exists body text,
        add column if not exists body_bytes bigint,
        add column if not exists ip text;

    create index if not exists rejects_batch on raw.rejects using brin (batch_id);

    comment on column raw.rejects.reject_id is 'UUID made at receipt.';
    comment on column raw.rejects.received_at is 'When the collector received it.';
    comment on column raw.rejects.protocol is 'Dialect in which it arrived.';
    comment on column raw.rejects.site_id is 'Site, null when unknown.';
    comment on column raw.rejects.tracking_key is 'The id the client used for the site.';
    comment on column raw.rejects.reason is 'Reason code.';
    comment on column raw.rejects.detail is 'What exactly was wrong.';
    comment on column raw.rejects.method is 'HTTP method.';
    comment on column raw.rejects.path is 'Path of the request.';
    comment on column raw.rejects.query is 'Query of the request.';
    comment on column raw.rejects.headers is 'The headers that matter; no cookies, no secrets.';
    comment on column raw.rejects.body is 'First 64 KiB of the refused part, base64.';
    comment on column raw.rejects.body_bytes is 'Full size of that part in bytes.';
    comment on column raw.rejects.ip is 'Address, truncated.';
    comment on column raw.rejects.request_id is 'Id of the HTTP request, made at receipt.';
    comment on column raw.rejects.request_index is 'Position within the request, from 0.';
    comment on column raw.rejects.collector_id is 'Collector process that accepted the row.';
    comment on column raw.rejects.segment_id is 'Spool segment that held the row.';
    comment on column raw.rejects.segment_row is 'Position within the segment, from 0.';
    comment on column raw.rejects.batch_id is 'Batch that loaded the row; ids sort in load order.';
    comment on column raw.rejects.loaded_at is 'When that batch was planned.';
    comment on table raw.rejects is 'one row per event or request that was refused (contract 1, definition 07187a843837)';
end
$$;

do $$
begin
    if obj_description(to_regclass('raw.checkins'), 'pg_class') = 'one row per message of an installed program, as often as it was delivered (contract 1, definition 471807aed2d0)' then
        return;
    end if;

    -- grain: one row per message of an installed program, as often as it was delivered
    create table if not exists raw.checkins (
        checkin_id uuid not null,
        received_at timestamptz not null,
        request_index integer not null,
        segment_row bigint not null,
        loaded_at timestamptz not null,
        fleet text not null,
        protocol text not null,
        install_id text not null,
        request_id text not null,
        collector_id text not null,
        segment_id text not null,
        batch_id text collate "C" not null,
        components jsonb,
        gauges jsonb,
        numbers jsonb,
        codes jsonb,
        raw text
    ) partition by range (received_at);

    alter table raw.checkins
        add column if not exists components jsonb,
        add column if not exists gauges jsonb,
        add column if not exists numbers jsonb,
        add column if not exists codes jsonb,
        add column if not exists raw text;

    create index if not exists checkins_batch on raw.checkins using brin (batch_id);

    comment on column raw.checkins.checkin_id is 'UUID made at receipt.';
    comment on column raw.checkins.fleet is 'Fleet of the sites file.';
    comment on column raw.checkins.received_at is 'When the collector received it.';
    comment on column raw.checkins.protocol is 'Dialect in which it arrived.';
    comment on column raw.checkins.install_id is 'Installation; a UUID in its canonical spelling where the fleet says that it is one.';
    comment on column raw.checkins.components is 'What is installed: list of {name, version}, in the order sent.';
    comment on column raw.checkins.gauges is 'Numbers to be averaged, by the fleet''s names; absent ones are 0.';
    comment on column raw.checkins.numbers is 'Numbers to be counted by value, by name; null: unknown.';
    comment on column raw.checkins.codes is 'Codes to be counted by value, by name.';
    comment on column raw.checkins.raw is 'The message as received, base64.';
    comment on column raw.checkins.request_id is 'Id of the HTTP request, made at receipt.';
    comment on column raw.checkins.request_index is 'Position within the request, from 0.';
    comment on column raw.checkins.collector_id is 'Collector process that accepted the row.';
    comment on column raw.checkins.segment_id is 'Spool segment that held the row.';
    comment on column raw.checkins.segment_row is 'Position within the segment, from 0.';
    comment on column raw.checkins.batch_id is 'Batch that loaded the row; ids sort in load order.';
    comment on column raw.checkins.loaded_at is 'When that batch was planned.';
    comment on table raw.checkins is 'one row per message of an installed program, as often as it was delivered (contract 1, definition 471807aed2d0)';
end
$$;

do $$
begin
    if obj_description(to_regclass('raw.app_rows'), 'pg_class') = 'one row per event that an app posted into a declared table, as often as it was delivered (contract 1, definition 9ad899de8b0e)' then
        return;
    end if;

    -- grain: one row per event that an app posted into a declared table, as often as it was delivered
    create table if not exists raw.app_rows (
        row_id uuid not null,
        received_at timestamptz not null,
        request_index integer not null,
        segment_row bigint not null,
        loaded_at timestamptz not null,
        app text not null,
        table_name text not null,
        protocol text not null,
        request_id text not null,
        collector_id text not null,
        segment_id text not null,
        batch_id text collate "C" not null,
        fields jsonb,
        other_fields jsonb
    ) partition by range (received_at);

    alter table raw.app_rows
        add column if not exists fields jsonb,
        add column if not exists other_fields jsonb;

    create index if not exists app_rows_batch on raw.app_rows using brin (batch_id);

    comment on column raw.app_rows.row_id is 'UUID: derived from app, table and the client''s `_id` where it sends one, else made at receipt. Delivering a row twice repeats it.';
    comment on column raw.app_rows.app is 'App of the sites file.';
    comment on column raw.app_rows.table_name is 'Declared table, a table of schema apps.';
    comment on column raw.app_rows.received_at is 'When the collector received it.';
    comment on column raw.app_rows.protocol is 'Dialect in which it arrived.';
    comment on column raw.app_rows.fields is 'Values by declared column, as Postgres reads them; absent ones are NULL.';
    comment on column raw.app_rows.other_fields is 'What no column took: undeclared fields and values of another type.';
    comment on column raw.app_rows.request_id is 'Id of the HTTP request, made at receipt.';
    comment on column raw.app_rows.request_index is 'Position within the request, from 0.';
    comment on column raw.app_rows.collector_id is 'Collector process that accepted the row.';
    comment on column raw.app_rows.segment_id is 'Spool segment that held the row.';
    comment on column raw.app_rows.segment_row is 'Position within the segment, from 0.';
    comment on column raw.app_rows.batch_id is 'Batch that loaded the row; ids sort in load order.';
    comment on column raw.app_rows.loaded_at is 'When that batch was planned.';
    comment on table raw.app_rows is 'one row per event that an app posted into a declared table, as often as it was delivered (contract 1, definition 9ad899de8b0e)';
end
$$;
