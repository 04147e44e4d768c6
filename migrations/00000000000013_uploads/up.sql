-- Files that a browser sends, imports that wait for a worker, and hashes that say what they are of.

alter table public.imports
  drop constraint imports_status_check,
  add constraint imports_status_check
    check (status in ('open', 'checking', 'checked', 'queued', 'running', 'completed', 'failed', 'cancelled')),
  add column files_done integer not null default 0,
  -- Who works on it, until when, and how often somebody has begun.
  add column lease_owner uuid,
  add column lease_until timestamptz,
  add column tries integer not null default 0,
  add column cancel_requested_at timestamptz,
  -- What a check found: the runs that would be stored, and the names that they need.
  add column plan jsonb not null default '{}';
create index imports_at_work on public.imports (created_at) where status in ('checking', 'queued', 'running');
create index imports_abandoned on public.imports (updated_at) where status in ('open', 'checked');

-- The bytes lie in a folder of the server under `object`; names of clients are only ever text.
create table public.import_uploads (
  import_id uuid not null references public.imports on delete cascade,
  path text not null check (length(path) between 1 and 1024),
  organization_id uuid not null references public.organizations on delete cascade,
  object uuid not null,
  sha256 text not null,
  size bigint not null check (size >= 0),
  created_at timestamptz not null default now(),
  primary key (import_id, path)
);
create index import_uploads_organization_id on public.import_uploads (organization_id);
alter table public.import_uploads enable row level security;
grant select on public.import_uploads to authenticated;
grant select, insert, update, delete on public.import_uploads to service_role;

-- `content_hash` was over the target where nobody kept the document. Like is compared with like: the two are apart now.
alter table public.run_samples add column target_hash bytea;
update public.run_samples set target_hash = content_hash, content_hash = null
  where content_hash is not null and jsonb_typeof(ground_truth) = 'string'
    and content_hash = sha256(convert_to('target:' || (ground_truth #>> '{}'), 'UTF8'));

-- How the samples of a score compare with those of the first of its column: what the leaderboard says beside it.
create table public.board_pairs (
  organization_id uuid not null references public.organizations on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete cascade,
  model_id uuid not null references public.models on delete cascade,
  checkpoint_variant text not null,
  reference_id uuid not null references public.models on delete cascade,
  reference_variant text not null,
  -- Documents that both have, and among them those whose prompts are known to differ or to be the same.
  documents integer not null,
  prompts_known integer not null,
  prompts_differ integer not null,
  -- Documents that only seem to be the same, and were left out.
  documents_differ integer not null,
  primary key (organization_id, benchmark_id, model_id, checkpoint_variant)
);
create index board_pairs_benchmark_id on public.board_pairs (benchmark_id);
create index board_pairs_model_id on public.board_pairs (model_id);
create index board_pairs_reference_id on public.board_pairs (reference_id);
alter table public.board_pairs enable row level security;
grant select on public.board_pairs to authenticated;
grant select, insert, update, delete on public.board_pairs to service_role;
