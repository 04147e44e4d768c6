-- What documents show to a model beside text.

-- One row for each content and organization: whether somebody has a file is nobody else's business. What it is was
-- read from its bytes, never from a name or a claim.
create table public.media (
  organization_id uuid not null references public.organizations on delete cascade,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  kind text not null check (kind in ('image', 'audio', 'video', 'other')),
  mime text not null,
  bytes bigint not null,
  width integer,
  height integer,
  duration double precision,
  -- Why it is not shown, although it is of a known type.
  problem text,
  object_key text not null,
  thumbnail_key text,
  -- Why there is no thumbnail; null while none was asked for.
  thumbnail_problem text,
  created_at timestamptz not null default now(),
  primary key (organization_id, sha256)
);

-- Media belong to a document of a leaf task in a picked benchmark, so that all filters of a task share them.
create table public.document_media (
  organization_id uuid not null references public.organizations on delete cascade,
  run_benchmark_id uuid not null references public.run_benchmarks on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete restrict,
  doc_id bigint not null,
  position integer not null,
  -- What it is said to be.
  claimed text,
  name text,
  sha256 text,
  -- Why there is nothing to show, by name and in words.
  problem text,
  reason text,
  primary key (run_benchmark_id, benchmark_id, doc_id, position),
  foreign key (organization_id, sha256) references public.media on delete cascade,
  check (sha256 is not null or reason is not null)
);
create index document_media_organization_sha256 on public.document_media (organization_id, sha256);
create index document_media_benchmark_id on public.document_media (benchmark_id);

alter table public.run_benchmarks
  -- When the executor had uploaded the media, and when the worker had joined them with their documents.
  add column media_told_at timestamptz,
  add column media_joined_at timestamptz;

alter table public.media enable row level security;
alter table public.document_media enable row level security;

grant select on public.media, public.document_media to authenticated;
grant select, insert, update, delete on public.media, public.document_media to service_role;
