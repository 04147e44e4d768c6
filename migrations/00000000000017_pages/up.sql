-- Pages of samples at any depth. Row-level security lets an index begin a scan only by operators that leak nothing,
-- which a minus is not: orders are kept in columns as they are.

-- The word by which documents are grouped, from the fields that benchmarks use for it.
alter table public.run_samples add column category text generated always as
  (left(coalesce(doc ->> 'category', doc ->> 'subject', doc ->> 'question_type', doc ->> 'type'), 200)) stored;

-- What samples are filtered and counted by, in the order of the file: no sample itself is read for that.
drop index public.run_samples_run;
create index run_samples_run on public.run_samples (run_id, id)
  include (organization_id, run_benchmark_id, benchmark_id, filter, doc_id, error, score, confidence, category, flags);
drop index public.run_samples_error;
create index run_samples_error on public.run_samples (run_id, error desc, id) where error is not null;
-- An index answers alone only for pages that a vacuum has seen; without this the samples of a new run wait for millions.
alter table public.run_samples set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);

-- Documents of a benchmark from the most disputed one on.
alter table public.document_agreement add column agreement double precision generated always as (1 - disagreement) stored;
create index document_agreement_order on public.document_agreement (organization_id, benchmark_id, filter, agreement, doc_id);
