alter table public.board_state drop column took;
drop trigger if exists agreement_follows on public.runs;
drop table public.agreement_state, public.document_agreement;
drop index public.run_samples_document, public.run_samples_confidence, public.run_samples_unscored, public.run_samples_error,
  public.run_samples_run;
create index run_samples_pairing on public.run_samples (benchmark_id, filter, doc_id);
create index run_samples_run_id on public.run_samples (run_id);
create index run_samples_sample_index on public.run_samples (sample_index);
create index run_samples_benchmark on public.run_samples (run_benchmark_id, benchmark_id);
