{# A model's schema is exactly the one its folder names: the same in every environment, and the Dagster key is schema + table. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
