drop table public.idempotency_keys, public.sign_in_links, public.secrets, public.audit_log, public.api_tokens,
  public.invitations, public.memberships, public.organizations;
drop table app.applied;
drop schema app cascade;
alter table public.__diesel_schema_migrations disable row level security;
