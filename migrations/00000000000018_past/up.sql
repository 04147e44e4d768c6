-- How long a benchmark took lately, for the estimate of every new run: by an index, however long the past is.
create index run_benchmarks_past on public.run_benchmarks (organization_id, benchmark_id, completed_at desc)
  where status = 'completed' and completed_at > started_at;
