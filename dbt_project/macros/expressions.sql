{# Expressions that engines spell differently. Models use these names only. #}

{% macro matches(value, pattern) -%} {{ return(adapter.dispatch('matches')(value, pattern)) }} {%- endmacro %}
{% macro default__matches(value, pattern) -%} regexp_matches({{ value }}, {{ pattern }}) {%- endmacro %}
{% macro postgres__matches(value, pattern) -%} {{ value }} ~ {{ pattern }} {%- endmacro %}

{# The first capture group of the pattern, null where it does not match. #}
{% macro captured(value, pattern) -%} {{ return(adapter.dispatch('captured')(value, pattern)) }} {%- endmacro %}
{% macro default__captured(value, pattern) -%} nullif(regexp_extract({{ value }}, {{ pattern }}, 1), '') {%- endmacro %}
{% macro postgres__captured(value, pattern) -%} substring({{ value }} from {{ pattern }}) {%- endmacro %}

{# A member of a JSON object as text, null where there is none. #}
{% macro json_text(document, key) -%} {{ return(adapter.dispatch('json_text')(document, key)) }} {%- endmacro %}
{% macro default__json_text(document, key) -%} json_extract_string({{ document }}, '$.{{ key }}') {%- endmacro %}
{% macro postgres__json_text(document, key) -%} ({{ document }} ->> '{{ key }}') {%- endmacro %}

{# Text compared byte by byte, so that the order of rows is the same in every database. #}
{% macro binary_text(value) -%} {{ return(adapter.dispatch('binary_text')(value)) }} {%- endmacro %}
{% macro default__binary_text(value) -%} {{ value }} {%- endmacro %}
{% macro postgres__binary_text(value) -%} {{ value }} collate "C" {%- endmacro %}

{# Seconds from one instant to another, exact to the millisecond. #}
{% macro seconds_between(start, finish) -%} {{ return(adapter.dispatch('seconds_between')(start, finish)) }} {%- endmacro %}
{% macro default__seconds_between(start, finish) -%}
    cast(date_diff('millisecond', {{ start }}, {{ finish }}) / 1000.0 as numeric(15, 3))
{%- endmacro %}
{% macro postgres__seconds_between(start, finish) -%}
    cast(extract(epoch from {{ finish }} - {{ start }}) as numeric(15, 3))
{%- endmacro %}

{# The calendar date of an instant in a time zone. #}
{% macro local_date(instant, timezone) -%}
    cast({{ instant }} at time zone {{ timezone }} as date)
{%- endmacro %}

{# Monday of the date's week. #}
{% macro week_of(day) -%}
    cast(date_trunc('week', cast({{ day }} as timestamp)) as date)
{%- endmacro %}

{# The elements of a list as rows of the single column `element`, with its position. #}
{% macro elements(list, alias) -%} {{ return(adapter.dispatch('elements')(list, alias)) }} {%- endmacro %}
{% macro default__elements(list, alias) -%}
    (select unnest({{ list }}) as element, generate_subscripts({{ list }}, 1) as place) as {{ alias }}
{%- endmacro %}
{% macro postgres__elements(list, alias) -%}
    unnest({{ list }}) with ordinality as {{ alias }} (element, place)
{%- endmacro %}

{# Text of an x-www-form-urlencoded value. What is no valid UTF-8 after decoding stays as it was sent: a referrer is
   anybody's text and must never stop the transform. #}
{% macro form_decoded(value) -%} {{ return(adapter.dispatch('form_decoded')(value)) }} {%- endmacro %}
{% macro default__form_decoded(value) -%} url_decode(replace({{ value }}, '+', ' ')) {%- endmacro %}
{% macro postgres__form_decoded(value) -%}
    case
        when {{ value }} is null or position('%' in {{ value }}) = 0 then replace({{ value }}, '+', ' ')
        else (
            select
                case
                    when convert_from(decoded.bytes, 'LATIN1') ~ {{ valid_utf8() }} then convert_from(decoded.bytes, 'UTF8')
                    else {{ value }}
                end
            from (
                select
                    string_agg(
                        case
                            when token.part[1] ~ '^%[0-9A-Fa-f]{2}' then decode(substr(token.part[1], 2), 'hex')
                            else convert_to(token.part[1], 'UTF8')
                        end,
                        cast('' as bytea) order by token.place
                    ) as bytes
                from regexp_matches(replace({{ value }}, '+', ' '), '%[0-9A-Fa-f]{2}|[^%]+|%', 'g')
                    with ordinality as token (part, place)
            ) as decoded
        )
    end
{%- endmacro %}

{# Pattern of well-formed UTF-8 without NUL, over bytes shown as Latin-1 characters (RFC 3629, section 4). #}
{% macro valid_utf8() -%}
    E'^([\\u0001-\\u007f]|[\\u00c2-\\u00df][\\u0080-\\u00bf]|\\u00e0[\\u00a0-\\u00bf][\\u0080-\\u00bf]|[\\u00e1-\\u00ec\\u00ee\\u00ef][\\u0080-\\u00bf]{2}|\\u00ed[\\u0080-\\u009f][\\u0080-\\u00bf]|\\u00f0[\\u0090-\\u00bf][\\u0080-\\u00bf]{2}|[\\u00f1-\\u00f3][\\u0080-\\u00bf]{3}|\\u00f4[\\u0080-\\u008f][\\u0080-\\u00bf]{2})*$'
{%- endmacro %}

{# What holds for events of a site that is no longer in the sites file. The same values as the sites file's defaults. #}
{% macro default_setting(name) -%}
    {{ {
        'timezone': "'UTC'",
        'session_timeout_s': '1800',
        'campaign_timeout_days': '183',
        'splits_at_midnight': 'true',
        'splits_on_campaign': 'true',
    }[name] }}
{%- endmacro %}
