-- Slices by rule, which samples are in them, and what is scored on them.

alter table public.slices
  -- As it was given, in its canonical form; null where type and value say it all.
  add column rule text check (length(rule) between 1 and 8000),
  -- pending: the rule has changed, and transactions that know the old one may still be under way; running: samples
  -- are being looked at, pick by pick; deleting: it is gone for everybody, and its traces are being removed.
  add column state text not null default 'pending' check (state in ('pending', 'running', 'done', 'failed', 'deleting')),
  add column error text,
  -- The first transaction that cannot have begun before the change.
  add column fence bigint,
  -- The last pick that was looked at.
  add column cursor uuid,
  add column seen bigint not null default 0,
  add column to_see bigint not null default 0,
  add column samples bigint not null default 0,
  -- Up to which change of the organization's scores (board_state) `samples` has been counted.
  add column counted bigint not null default -1,
  add column updated_at timestamptz not null default now();
alter table public.slices drop constraint slices_organization_id_name_key;
create unique index slices_organization_id_name_key on public.slices (organization_id, name) where state <> 'deleting';
create index slices_organization_id on public.slices (organization_id);
create index slices_to_do on public.slices (id) where state in ('pending', 'running', 'deleting');

-- Picks in the order in which a slice goes through them.
create index run_benchmarks_organization_id_id on public.run_benchmarks (organization_id, id);

alter table public.run_metrics
  -- The metric under which the samples' scores are its values, one by one.
  add column of_samples boolean not null default false,
  -- Why a slice has no value.
  add column reason text;

grant insert (rule), update (rule) on public.slices to authenticated;
-- What a slice leaves behind is removed by the worker: a bare row may not vanish under it.
revoke delete on public.slices from authenticated;
