-- Who there is and who may do what. Policies, functions and triggers live in supabase/policies.sql.

-- diesel makes this table before the first migration; nobody but the migrating role may touch it.
alter table public.__diesel_schema_migrations enable row level security;
revoke all on public.__diesel_schema_migrations from anon, authenticated, service_role;

create schema app;
grant usage on schema app to authenticated, service_role;

-- Which replaceable SQL files have been applied, by content.
create table app.applied (
  name text primary key,
  sha256 text not null,
  applied_at timestamptz not null default now()
);
alter table app.applied enable row level security;

create table public.organizations (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 200),
  demo boolean not null default false,
  created_at timestamptz not null default now()
);

create table public.memberships (
  organization_id uuid not null references public.organizations on delete cascade,
  user_id uuid not null references auth.users on delete cascade,
  role text not null check (role in ('viewer', 'editor', 'admin', 'owner')),
  created_at timestamptz not null default now(),
  primary key (organization_id, user_id)
);
create index memberships_user_id on public.memberships (user_id);

create table public.invitations (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  email text not null,
  role text not null check (role in ('viewer', 'editor', 'admin', 'owner')),
  secret_hash bytea not null unique,
  created_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz
);
create index invitations_organization_id on public.invitations (organization_id);
create index invitations_created_by on public.invitations (created_by);

create table public.api_tokens (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  name text not null check (length(name) between 1 and 200),
  role text not null check (role in ('viewer', 'editor', 'admin', 'owner')),
  scopes text[] not null default '{}',
  secret_hash bytea not null,
  created_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz
);
create index api_tokens_organization_id on public.api_tokens (organization_id);
create index api_tokens_created_by on public.api_tokens (created_by);

create table public.audit_log (
  id bigint generated always as identity primary key,
  organization_id uuid references public.organizations on delete cascade,
  at timestamptz not null default now(),
  actor jsonb not null,
  action text not null,
  object_type text not null,
  object_id text,
  detail jsonb not null default '{}'
);
create index audit_log_organization_id on public.audit_log (organization_id, id desc);

-- Sealed by the server; the key is not in the database.
create table public.secrets (
  organization_id uuid not null references public.organizations on delete cascade,
  name text not null check (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,127}$'),
  sealed bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, name)
);

create table public.sign_in_links (
  secret_hash bytea primary key,
  user_id uuid not null references auth.users on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index sign_in_links_user_id on public.sign_in_links (user_id);

create table public.idempotency_keys (
  organization_id uuid not null references public.organizations on delete cascade,
  principal text not null,
  key text not null check (length(key) between 1 and 255),
  request_hash bytea not null,
  status smallint not null,
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, principal, key)
);
create index idempotency_keys_created_at on public.idempotency_keys (created_at);

alter table public.organizations enable row level security;
alter table public.memberships enable row level security;
alter table public.invitations enable row level security;
alter table public.api_tokens enable row level security;
alter table public.audit_log enable row level security;
alter table public.secrets enable row level security;
alter table public.sign_in_links enable row level security;
alter table public.idempotency_keys enable row level security;

grant select on public.organizations, public.memberships to authenticated;
grant update (name) on public.organizations to authenticated;
grant select (id, organization_id, email, role, created_by, created_at, expires_at, accepted_at) on public.invitations to authenticated;
grant select (id, organization_id, name, role, scopes, created_by, created_at, last_used_at, expires_at, revoked_at) on public.api_tokens to authenticated;
grant select on public.audit_log to authenticated;
grant select (organization_id, name, created_at, updated_at) on public.secrets to authenticated;
grant select, insert, update, delete on
  public.organizations, public.memberships, public.invitations, public.api_tokens, public.audit_log,
  public.secrets, public.sign_in_links, public.idempotency_keys to service_role;
