-- Which migrations the schema has, for a server whose role may not read diesel's table.
create or replace function app.schema_versions() returns setof text
language sql stable security definer set search_path = '' as $$
  select version::text from public.__diesel_schema_migrations
$$;
revoke all on function app.schema_versions() from public;
grant execute on function app.schema_versions() to authenticated, service_role;
