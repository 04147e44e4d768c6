drop table public.ws_tickets, public.artifacts, public.log_chunks, public.run_logs, public.run_events,
  public.run_benchmarks, public.run_attempts, public.runs;
