-- What counts now: the score of each model, checkpoint and metric that a leaderboard shows, and the ranks from it.

-- Under which conditions a score was measured, as its results document says: limit, num_fewshot, version.
alter table public.run_metrics add column conditions jsonb not null default '{}';

-- One row for each thing that can be ranked. Kept by a trigger on run_metrics, so that reading it costs as much as
-- there are models, however many runs there were.
create table public.board_scores (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references public.organizations on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete restrict,
  metric_name text not null,
  filter text not null,
  slice_id uuid references public.slices on delete cascade,
  model_id uuid not null references public.models on delete cascade,
  checkpoint_variant text not null,
  run_id uuid not null references public.runs on delete cascade,
  run_benchmark_id uuid not null references public.run_benchmarks on delete cascade,
  value double precision not null,
  stderr double precision,
  sample_count bigint,
  higher_is_better boolean,
  is_group boolean not null,
  conditions jsonb not null default '{}',
  ran_at timestamptz not null,
  unique nulls not distinct (organization_id, slice_id, benchmark_id, metric_name, filter, model_id, checkpoint_variant)
);
create index board_scores_benchmark_id on public.board_scores (benchmark_id);
create index board_scores_slice_id on public.board_scores (slice_id);
create index board_scores_model_id on public.board_scores (model_id);
create index board_scores_run_id on public.board_scores (run_id);
create index board_scores_run_benchmark_id on public.board_scores (run_benchmark_id);

-- Rank intervals from paired tests over samples, as the worker found them. benchmark_id null: over all benchmarks.
create table public.board_ranks (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references public.organizations on delete cascade,
  benchmark_id uuid references public.benchmarks on delete cascade,
  model_id uuid not null references public.models on delete cascade,
  checkpoint_variant text not null,
  rank_lo integer not null check (rank_lo > 0),
  rank_hi integer not null check (rank_hi >= rank_lo),
  tests integer not null,
  unique nulls not distinct (organization_id, benchmark_id, model_id, checkpoint_variant)
);
create index board_ranks_benchmark_id on public.board_ranks (benchmark_id);
create index board_ranks_model_id on public.board_ranks (model_id);

-- How often the scores of an organization have changed, and up to which change its ranks are known.
create table public.board_state (
  organization_id uuid primary key references public.organizations on delete cascade,
  changes bigint not null default 0,
  ranked bigint not null default 0,
  ranked_at timestamptz
);

-- What ended lately.
create index runs_organization_completed on public.runs (organization_id, completed_at desc);

-- Which groups hold a task.
create index benchmarks_leaf_tasks on public.benchmarks using gin (leaf_tasks) where kind <> 'task';

alter table public.board_scores enable row level security;
alter table public.board_ranks enable row level security;
alter table public.board_state enable row level security;

grant select on public.board_scores, public.board_ranks, public.board_state to authenticated;
grant select, insert, update, delete on public.board_scores, public.board_ranks, public.board_state to service_role;
