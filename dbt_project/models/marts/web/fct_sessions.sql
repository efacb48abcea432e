{{ config(
    pre_hook=["{{ hash_joins_only() }}"],
    incremental_strategy='replace_visitors',
    post_hook=["{{ analyze_when_new(['site_id', 'visitor_id', 'session_number', 'session_date']) }}"],
    indexes=[{'columns': ['site_id', 'session_date']}, {'columns': ['visitor_id', 'site_id', 'session_number'], 'unique': true}]
) }}
-- The key is a unique index, not a constraint: so it is built after the rows, which is quicker, and led by the visitor,
-- by whom the rows that a run replaces are found.
-- The days that lose sessions are known only before they are replaced.
-- depends_on: {{ ref('int_site_day_changes') }}
-- depends_on: {{ ref('int_visitor_rebuilds') }}

-- grain: one session; key (site_id, visitor_id, session_number), and session_id, which is derived from its first event
select
    sessions.session_id,
    sessions.site_id,
    sessions.visitor_id,
    sessions.session_number,
    sessions.first_event_id,
    sessions.landing_page,
    sessions.exit_page,
    sessions.own_source,
    sessions.own_medium,
    sessions.own_campaign,
    sessions.source,
    sessions.medium,
    sessions.campaign,
    sessions.campaign_id,
    sessions.term,
    sessions.content,
    sessions.referral_path,
    channels.channel_ua,
    channels.channel_ga4,
    sessions.country,
    sessions.device_kind,
    sessions.visits,
    sessions.event_count,
    sessions.interaction_count,
    sessions.page_view_count,
    sessions.screen_view_count,
    sessions.named_event_count,
    sessions.transaction_count,
    sessions.revenue,
    sessions.engaged_ms,
    sessions.duration_s,
    sessions.is_direct,
    sessions.is_new_visitor,
    sessions.is_bounce,
    sessions.has_visitor,
    sessions.is_bot,
    sessions.session_start_at,
    sessions.session_end_at,
    sessions.session_date
from {{ ref('int_sessions') }} as sessions
inner join {{ ref('int_channels') }} as channels
    on
        sessions.source = channels.source
        and sessions.medium = channels.medium
        and sessions.campaign = channels.campaign
