drop trigger if exists board_takes on public.run_metrics;
drop trigger if exists board_gives on public.run_metrics;
drop table public.board_state, public.board_ranks, public.board_scores;
drop index public.benchmarks_leaf_tasks, public.runs_organization_completed;
alter table public.run_metrics drop column conditions;
