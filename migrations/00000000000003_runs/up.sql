-- Runs, their attempts and everything that is said about them while they run.

create table public.runs (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  name text not null check (length(name) between 1 and 200),
  model_id uuid not null references public.models on delete restrict,
  -- The resolved variant; `latest` only where the model has no checkpoints.
  checkpoint_variant text not null default 'latest',
  created_at timestamptz not null default now(),
  queued_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  status text not null default 'queued'
    check (status in ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
  outcome text check (outcome in ('completed', 'start_failed', 'bad_arguments', 'task_not_found', 'model_not_found',
    'dataset_unreachable', 'out_of_memory', 'crashed', 'killed', 'stalled', 'timed_out', 'cancelled', 'lost', 'results_unreadable')),
  error_message text,
  total_tasks integer not null check (total_tasks >= 0),
  completed_tasks integer not null default 0,
  gpu_device_id text,
  process_id integer,
  config jsonb not null default '{}',
  metadata jsonb not null default '{}',
  -- What was resolved when the run was created: backend, arguments, source, task folders, command lines.
  plan jsonb not null default '{}',
  degraded boolean not null default false,
  demo boolean not null default false,
  created_by uuid references auth.users on delete set null,
  created_by_token uuid references public.api_tokens on delete set null,
  cancel_requested_at timestamptz,
  cancel_requested_by jsonb,
  -- The queue.
  priority integer not null default 0,
  not_before timestamptz not null default now(),
  epoch integer not null default 0,
  lease_owner uuid,
  lease_until timestamptz,
  -- The live view.
  last_seq bigint not null default 0,
  log_lines bigint not null default 0,
  current_run_benchmark_id uuid,
  live jsonb not null default '{}',
  progress_percent double precision not null default 0,
  items_per_second double precision,
  eta_seconds bigint
);
create index runs_model_id_status on public.runs (model_id, status);
create index runs_created_at on public.runs (created_at desc);
create index runs_status on public.runs (status);
create index runs_organization_created on public.runs (organization_id, created_at desc, id desc);
create index runs_queue on public.runs (priority desc, queued_at, id) where status = 'queued';
create index runs_live on public.runs (lease_until) where status = 'running';
create index runs_created_by on public.runs (created_by);
create index runs_created_by_token on public.runs (created_by_token);

create table public.run_attempts (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  epoch integer not null check (epoch > 0),
  state text not null default 'claimed' check (state in ('claimed', 'submitting', 'submitted', 'starting', 'running',
    'succeeded', 'failed', 'cancelled', 'lost', 'timed_out')),
  outcome text,
  reason text,
  engine text not null,
  engine_name text not null,
  host text,
  directory text,
  gpus text[] not null default '{}',
  token_hash bytea not null,
  pid integer,
  next_batch_no bigint not null default 1,
  offsets jsonb not null default '{}',
  environment jsonb not null default '{}',
  exit jsonb,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  heartbeat_at timestamptz,
  ended_at timestamptz,
  unique (run_id, epoch)
);
-- I1: at most one live attempt per run.
create unique index run_attempts_one_live on public.run_attempts (run_id)
  where state in ('claimed', 'submitting', 'submitted', 'starting', 'running');
create index run_attempts_organization_id on public.run_attempts (organization_id);

create table public.run_benchmarks (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete restrict,
  name text not null,
  "order" integer not null check ("order" >= 0),
  status text not null default 'pending' check (status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
  outcome text,
  error_message text,
  evidence jsonb not null default '[]',
  degraded text,
  leaf_tasks text[] not null default '{}',
  started_at timestamptz,
  completed_at timestamptz,
  attempt_id uuid references public.run_attempts on delete set null,
  -- done.json, as the executor reported it; ingested_at says that the worker has dealt with it.
  done jsonb,
  ingested_at timestamptz,
  sample_count bigint not null default 0,
  unique (run_id, benchmark_id),
  unique (run_id, "order")
);
create index run_benchmarks_run_id on public.run_benchmarks (run_id);
create index run_benchmarks_benchmark_id on public.run_benchmarks (benchmark_id);
create index run_benchmarks_organization_id on public.run_benchmarks (organization_id);
create index run_benchmarks_attempt_id on public.run_benchmarks (attempt_id);
create index run_benchmarks_to_ingest on public.run_benchmarks (run_id) where done is not null and ingested_at is null;

-- One gapless sequence per run. A row of kind log_line covers first_seq..seq.
create table public.run_events (
  run_id uuid not null references public.runs on delete cascade,
  seq bigint not null,
  first_seq bigint not null,
  organization_id uuid not null references public.organizations on delete cascade,
  kind text not null check (kind in ('progress', 'metric_update', 'log_line', 'status', 'error')),
  payload jsonb not null default '{}',
  at timestamptz not null default now(),
  primary key (run_id, seq),
  check (first_seq <= seq)
);
create index run_events_organization_id on public.run_events (organization_id);

-- The parsed lines; the bytes are in the object store (log_chunks).
create table public.run_logs (
  id bigint generated always as identity primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  seq bigint not null,
  attempt integer not null,
  stream text not null check (stream in ('stdout', 'stderr')),
  byte_offset bigint not null,
  timestamp timestamptz not null,
  level text not null check (level in ('DEBUG', 'INFO', 'WARNING', 'ERROR')),
  message text not null,
  context jsonb,
  unique (run_id, seq)
);
create index run_logs_run_id_timestamp on public.run_logs (run_id, timestamp);
create index run_logs_organization_id on public.run_logs (organization_id);

create table public.log_chunks (
  attempt_id uuid not null references public.run_attempts on delete cascade,
  organization_id uuid not null references public.organizations on delete cascade,
  stream text not null check (stream in ('stdout', 'stderr')),
  byte_offset bigint not null check (byte_offset >= 0),
  length integer not null check (length > 0),
  object_key text not null,
  primary key (attempt_id, stream, byte_offset)
);
create index log_chunks_organization_id on public.log_chunks (organization_id);

create table public.artifacts (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  attempt_id uuid references public.run_attempts on delete set null,
  run_benchmark_id uuid references public.run_benchmarks on delete set null,
  artifact_type text not null check (artifact_type in ('config', 'log', 'predictions', 'error_analysis', 'checkpoint_info')),
  name text not null,
  file_path text not null,
  file_size bigint not null check (file_size >= 0),
  sha256 text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  unique nulls not distinct (run_id, attempt_id, name)
);
create index artifacts_run_id_type on public.artifacts (run_id, artifact_type);
create index artifacts_created_at on public.artifacts (created_at);
create index artifacts_organization_id on public.artifacts (organization_id);
create index artifacts_attempt_id on public.artifacts (attempt_id);
create index artifacts_run_benchmark_id on public.artifacts (run_benchmark_id);

-- Single use, 30 seconds; any replica can honour one that another has given.
create table public.ws_tickets (
  ticket_hash bytea primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  principal jsonb not null,
  expires_at timestamptz not null
);
create index ws_tickets_organization_id on public.ws_tickets (organization_id);
create index ws_tickets_run_id on public.ws_tickets (run_id);

alter table public.runs enable row level security;
alter table public.run_attempts enable row level security;
alter table public.run_benchmarks enable row level security;
alter table public.run_events enable row level security;
alter table public.run_logs enable row level security;
alter table public.log_chunks enable row level security;
alter table public.artifacts enable row level security;
alter table public.ws_tickets enable row level security;

grant select on public.runs, public.run_benchmarks, public.run_events, public.run_logs, public.log_chunks,
  public.artifacts to authenticated;
grant select (id, organization_id, run_id, epoch, state, outcome, reason, engine, engine_name, host, gpus, pid, offsets,
  environment, exit, created_at, started_at, heartbeat_at, ended_at) on public.run_attempts to authenticated;
grant update (name) on public.runs to authenticated;
grant select, insert, update, delete on public.runs, public.run_attempts, public.run_benchmarks, public.run_events,
  public.run_logs, public.log_chunks, public.artifacts, public.ws_tickets to service_role;
