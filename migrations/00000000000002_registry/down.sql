drop table public.slices, public.catalogue_state, public.benchmark_overrides, public.benchmarks, public.task_folders,
  public.model_checkpoints, public.models;
