-- Results brought in from outside, and what became of each file.

create table public.imports (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  name text not null check (length(name) between 1 and 1000),
  source text not null check (source in ('command', 'upload')),
  status text not null default 'running' check (status in ('running', 'completed', 'failed')),
  error_message text,
  mapping jsonb not null default '{}',
  files_total integer not null default 0,
  runs_total integer not null default 0,
  runs_done integer not null default 0,
  created_by uuid references auth.users on delete set null,
  created_by_token uuid references public.api_tokens on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed_at timestamptz
);
create index imports_organization_created on public.imports (organization_id, created_at desc, id desc);
create index imports_created_by on public.imports (created_by);
create index imports_created_by_token on public.imports (created_by_token);

alter table public.runs
  add column import_id uuid references public.imports on delete set null,
  -- SHA-256 of the results document: the same document is one run, however often it is imported.
  add column import_hash bytea;
create index runs_import_id on public.runs (import_id);
create unique index runs_import_hash on public.runs (organization_id, import_hash) where import_hash is not null;

create table public.import_files (
  import_id uuid not null references public.imports on delete cascade,
  position integer not null,
  organization_id uuid not null references public.organizations on delete cascade,
  path text not null,
  sha256 text,
  kind text not null check (kind in ('results', 'samples', 'api_dump', 'old_samples', 'log', 'not_lmms_eval', 'unreadable')),
  status text not null check (status in ('taken', 'known', 'left_out', 'failed')),
  run_id uuid references public.runs on delete set null,
  report jsonb not null default '{}',
  primary key (import_id, position)
);
create index import_files_organization_id on public.import_files (organization_id);
create index import_files_run_id on public.import_files (run_id);

alter table public.imports enable row level security;
alter table public.import_files enable row level security;

grant select on public.imports, public.import_files to authenticated;
grant select, insert, update, delete on public.imports, public.import_files to service_role;
