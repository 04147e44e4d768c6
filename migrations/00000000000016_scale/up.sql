-- Pages of samples out of millions: each order has its index, with the sample's id behind it. Ids are made in the order
-- of the file, so that they are the order within a run as well.
drop index public.run_samples_benchmark;
drop index public.run_samples_sample_index;
drop index public.run_samples_run_id;
drop index public.run_samples_pairing;
create index run_samples_run on public.run_samples (run_id, id);
create index run_samples_error on public.run_samples (run_id, (-error), id) where error is not null;
create index run_samples_unscored on public.run_samples (run_id, id) where error is null;
create index run_samples_confidence on public.run_samples (run_id, confidence, id) where confidence is not null;
-- What each run answered to a document.
create index run_samples_document on public.run_samples (benchmark_id, filter, doc_id, run_benchmark_id);

-- How much the completed runs of an organization agree about a document, as the worker counted it.
create table public.document_agreement (
  organization_id uuid not null references public.organizations on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete cascade,
  filter text not null,
  doc_id bigint not null,
  answers integer not null check (answers > 0),
  "right" integer not null check ("right" between 0 and answers),
  -- Entropy of right and wrong in bits: 0 where all agree, 1 where half of them are right.
  disagreement double precision not null,
  primary key (organization_id, benchmark_id, filter, doc_id)
);
create index document_agreement_benchmark_id on public.document_agreement (benchmark_id);

-- How often the answers to a benchmark have changed, and up to which change they are counted.
create table public.agreement_state (
  organization_id uuid not null references public.organizations on delete cascade,
  benchmark_id uuid not null references public.benchmarks on delete cascade,
  changes bigint not null default 0,
  counted bigint not null default 0,
  counted_at timestamptz,
  -- What counting took: the more, the longer the pause before it is done again.
  took interval not null default '0',
  primary key (organization_id, benchmark_id)
);
create index agreement_state_benchmark_id on public.agreement_state (benchmark_id);

alter table public.document_agreement enable row level security;
alter table public.agreement_state enable row level security;

grant select on public.document_agreement, public.agreement_state to authenticated;
grant select, insert, update, delete on public.document_agreement, public.agreement_state to service_role;

-- What finding the ranks took: the more, the longer the pause before it is done again.
alter table public.board_state add column took interval not null default '0';
