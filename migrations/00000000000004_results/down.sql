drop table public.saved_views, public.comparison_sessions, public.sample_slices, public.run_samples, public.run_metrics;
