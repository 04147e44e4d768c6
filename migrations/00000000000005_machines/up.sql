-- What workers say of their machines every few seconds. Machines are shared by all organizations.

create table public.hosts (
  host text primary key,
  engine text not null,
  worker_id uuid not null,
  lmms_eval_version text,
  gpu_reason text,
  disk_free bigint,
  problem text,
  seen_at timestamptz not null default now()
);

create table public.gpu_devices (
  host text not null references public.hosts on delete cascade,
  uuid text not null,
  index integer not null,
  name text not null,
  memory_total bigint not null,
  memory_used bigint not null,
  utilization integer not null default 0,
  state text not null check (state in ('free', 'allocated', 'foreign', 'lost', 'unsupported')),
  seen_at timestamptz not null default now(),
  primary key (host, uuid)
);

create table public.gpu_allocations (
  id bigint generated always as identity primary key,
  host text not null,
  gpu_uuid text not null,
  attempt_id uuid not null references public.run_attempts on delete cascade,
  organization_id uuid not null references public.organizations on delete cascade,
  allocated_at timestamptz not null default now(),
  released_at timestamptz
);
-- I6: a GPU is never given to two live attempts.
create unique index gpu_allocations_live on public.gpu_allocations (host, gpu_uuid) where released_at is null;
create index gpu_allocations_attempt_id on public.gpu_allocations (attempt_id);
create index gpu_allocations_organization_id on public.gpu_allocations (organization_id);

alter table public.hosts enable row level security;
alter table public.gpu_devices enable row level security;
alter table public.gpu_allocations enable row level security;

grant select on public.hosts, public.gpu_devices, public.gpu_allocations to authenticated;
grant select, insert, update, delete on public.hosts, public.gpu_devices, public.gpu_allocations to service_role;
