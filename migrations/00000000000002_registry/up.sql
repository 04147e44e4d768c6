-- Models, benchmarks and slices: what runs are made of.

create table public.models (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  name text not null check (length(name) between 1 and 200),
  family text,
  source text,
  dtype text,
  num_parameters bigint check (num_parameters >= 0),
  notes text,
  backend text not null,
  -- [[key, value], ...]: the order is the order on the command line, which jsonb objects would lose.
  model_args jsonb not null default '[]',
  metadata jsonb not null default '{}',
  demo boolean not null default false,
  created_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  unique (organization_id, name)
);
create index models_name on public.models (name);
create index models_family on public.models (family);
create index models_created_by on public.models (created_by);

create table public.model_checkpoints (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  model_id uuid not null references public.models on delete cascade,
  checkpoint_variant text not null check (length(checkpoint_variant) between 1 and 200 and checkpoint_variant <> 'latest'),
  checkpoint_index integer not null,
  source text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  unique (model_id, checkpoint_variant)
);
create index model_checkpoints_organization_id on public.model_checkpoints (organization_id);

-- A folder of the user's own task files (`--include_path`). Task files are code.
create table public.task_folders (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  path text not null check (path like '/%'),
  created_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  unique (organization_id, path)
);
create index task_folders_created_by on public.task_folders (created_by);

-- organization_id null: the installed catalogue, readable by all.
create table public.benchmarks (
  id uuid primary key,
  organization_id uuid references public.organizations on delete cascade,
  name text not null check (length(name) between 1 and 500),
  kind text not null check (kind in ('task', 'group', 'tag')),
  modality text not null check (modality in ('Vision', 'Audio', 'Video', 'Text')),
  category text not null default 'Other',
  task_type text,
  primary_metrics jsonb not null default '[]',
  secondary_metrics jsonb not null default '[]',
  metrics jsonb not null default '[]',
  filters jsonb not null default '[]',
  num_samples bigint,
  description text,
  tags text[] not null default '{}',
  leaf_tasks text[] not null default '{}',
  dataset text,
  supports_fewshot boolean not null default false,
  num_fewshot integer,
  generation_kwargs jsonb not null default '{}',
  needs_judge boolean not null default false,
  needs_download boolean not null default false,
  origin text not null default 'installed',
  yaml_path text,
  version text,
  missing_since timestamptz,
  created_at timestamptz not null default now(),
  unique nulls not distinct (organization_id, name)
);
create index benchmarks_category on public.benchmarks (category);
create index benchmarks_modality on public.benchmarks (modality);

-- What an organization knows better than the heuristics.
create table public.benchmark_overrides (
  organization_id uuid not null references public.organizations on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete cascade,
  modality text check (modality in ('Vision', 'Audio', 'Video', 'Text')),
  category text,
  description text,
  updated_at timestamptz not null default now(),
  primary key (organization_id, benchmark_id)
);
create index benchmark_overrides_benchmark_id on public.benchmark_overrides (benchmark_id);

-- What was indexed last: one row.
create table public.catalogue_state (
  singleton boolean primary key default true check (singleton),
  lmms_eval_version text,
  fingerprint text not null,
  indexed_at timestamptz not null default now(),
  problems jsonb not null default '[]',
  backends jsonb not null default '[]'
);

create table public.slices (
  id uuid primary key,
  organization_id uuid not null references public.organizations on delete cascade,
  name text not null check (length(name) between 1 and 200),
  slice_type text not null check (slice_type in (
    'audio_gender', 'audio_language', 'audio_snr', 'audio_duration', 'vision_ocr_required', 'vision_resolution',
    'vision_chart_type', 'video_length', 'video_motion', 'custom')),
  slice_value text,
  associated_benchmarks uuid[] not null default '{}',
  description text,
  created_by uuid references auth.users on delete set null,
  created_at timestamptz not null default now(),
  unique (organization_id, name)
);
create index slices_slice_type on public.slices (slice_type);
create index slices_name on public.slices (name);
create index slices_created_by on public.slices (created_by);

alter table public.models enable row level security;
alter table public.model_checkpoints enable row level security;
alter table public.task_folders enable row level security;
alter table public.benchmarks enable row level security;
alter table public.benchmark_overrides enable row level security;
alter table public.catalogue_state enable row level security;
alter table public.slices enable row level security;

grant select on public.models, public.model_checkpoints, public.task_folders, public.benchmarks,
  public.benchmark_overrides, public.catalogue_state, public.slices to authenticated;
grant insert (id, organization_id, name, family, source, dtype, num_parameters, notes, backend, model_args, metadata, created_by),
  update (name, family, source, dtype, num_parameters, notes, backend, model_args, metadata, archived_at)
  on public.models to authenticated;
grant insert (id, organization_id, model_id, checkpoint_variant, checkpoint_index, source, metadata),
  update (checkpoint_index, source, metadata) on public.model_checkpoints to authenticated;
grant insert, update (modality, category, description, updated_at), delete on public.benchmark_overrides to authenticated;
grant insert (id, organization_id, name, slice_type, slice_value, associated_benchmarks, description, created_by),
  update (name, slice_value, associated_benchmarks, description), delete on public.slices to authenticated;
grant select, insert, update, delete on public.models, public.model_checkpoints, public.task_folders, public.benchmarks,
  public.benchmark_overrides, public.catalogue_state, public.slices to service_role;
