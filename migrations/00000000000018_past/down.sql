drop index public.run_benchmarks_past;
