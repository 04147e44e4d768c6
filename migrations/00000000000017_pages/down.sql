drop index public.document_agreement_order;
alter table public.document_agreement drop column agreement;
alter table public.run_samples reset (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold);
drop index public.run_samples_error, public.run_samples_run;
create index run_samples_run on public.run_samples (run_id, id);
create index run_samples_error on public.run_samples (run_id, (-error), id) where error is not null;
alter table public.run_samples drop column category;
