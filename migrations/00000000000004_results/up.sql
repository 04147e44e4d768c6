-- Scores and samples, and what people make of them.

create table public.run_metrics (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  run_benchmark_id uuid not null references public.run_benchmarks on delete cascade,
  -- The leaf task, or the group for its aggregate.
  benchmark_id uuid not null references public.benchmarks on delete restrict,
  metric_name text not null,
  filter text not null default 'none',
  metric_value double precision,
  stderr double precision,
  higher_is_better boolean,
  sample_count bigint,
  is_group boolean not null default false,
  slice_id uuid references public.slices on delete cascade,
  updated_at timestamptz not null default now(),
  unique nulls not distinct (run_benchmark_id, benchmark_id, metric_name, filter, slice_id)
);
create index run_metrics_run_id on public.run_metrics (run_id);
create index run_metrics_benchmark_metric on public.run_metrics (benchmark_id, metric_name);
create index run_metrics_slice_id on public.run_metrics (slice_id);
create index run_metrics_organization_id on public.run_metrics (organization_id);

create table public.run_samples (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  run_id uuid not null references public.runs on delete cascade,
  run_benchmark_id uuid not null references public.run_benchmarks on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete restrict,
  sample_index bigint not null,
  doc_id bigint not null,
  filter text not null default 'none',
  input_data jsonb not null default '{}',
  ground_truth jsonb,
  prediction jsonb,
  raw_prediction jsonb,
  metrics jsonb not null default '{}',
  doc jsonb,
  score double precision,
  score_reason text,
  error double precision,
  confidence double precision,
  flags text[] not null default '{}',
  content_hash bytea,
  prompt_hash bytea,
  slice_assignments uuid[] not null default '{}',
  created_at timestamptz not null default now(),
  unique (run_benchmark_id, benchmark_id, filter, sample_index)
);
create index run_samples_benchmark on public.run_samples (run_benchmark_id, benchmark_id);
create index run_samples_sample_index on public.run_samples (sample_index);
create index run_samples_run_id on public.run_samples (run_id);
create index run_samples_pairing on public.run_samples (benchmark_id, filter, doc_id);
create index run_samples_organization_id on public.run_samples (organization_id);

create table public.sample_slices (
  slice_id uuid not null references public.slices on delete cascade,
  sample_id uuid not null references public.run_samples on delete cascade,
  organization_id uuid not null references public.organizations on delete cascade,
  primary key (slice_id, sample_id)
);
create index sample_slices_sample_id on public.sample_slices (sample_id);
create index sample_slices_organization_id on public.sample_slices (organization_id);

create table public.comparison_sessions (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  user_id uuid not null references auth.users on delete cascade,
  name text not null check (length(name) between 1 and 200),
  comparison_type text not null check (comparison_type in (
    'intra_model_checkpoint', 'inter_model_same_checkpoint', 'best_of_n', 'release_candidate')),
  run_ids uuid[] not null default '{}',
  benchmark_ids uuid[] not null default '{}',
  slice_id uuid references public.slices on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index comparison_sessions_user_created on public.comparison_sessions (user_id, created_at);
create index comparison_sessions_organization_id on public.comparison_sessions (organization_id);
create index comparison_sessions_slice_id on public.comparison_sessions (slice_id);

-- Saved filters of a table and saved launch settings.
create table public.saved_views (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  user_id uuid not null references auth.users on delete cascade,
  page text not null check (page in ('runs', 'launcher')),
  name text not null check (length(name) between 1 and 200),
  body jsonb not null,
  created_at timestamptz not null default now(),
  unique (organization_id, user_id, page, name)
);
create index saved_views_user_id on public.saved_views (user_id);

alter table public.run_metrics enable row level security;
alter table public.run_samples enable row level security;
alter table public.sample_slices enable row level security;
alter table public.comparison_sessions enable row level security;
alter table public.saved_views enable row level security;

grant select on public.run_metrics, public.run_samples, public.sample_slices, public.comparison_sessions,
  public.saved_views to authenticated;
grant insert (id, organization_id, user_id, name, comparison_type, run_ids, benchmark_ids, slice_id),
  update (name, run_ids, benchmark_ids, slice_id, updated_at), delete on public.comparison_sessions to authenticated;
grant insert, update (name, body), delete on public.saved_views to authenticated;
grant select, insert, update, delete on public.run_metrics, public.run_samples, public.sample_slices,
  public.comparison_sessions, public.saved_views to service_role;
