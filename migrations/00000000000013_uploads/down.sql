drop table public.board_pairs;
update public.run_samples set content_hash = target_hash where content_hash is null;
alter table public.run_samples drop column target_hash;
drop table public.import_uploads;
drop index public.imports_abandoned;
drop index public.imports_at_work;
update public.imports set status = case status when 'cancelled' then 'failed' else 'running' end
  where status not in ('running', 'completed', 'failed');
alter table public.imports
  drop column plan, drop column cancel_requested_at, drop column tries, drop column lease_until, drop column lease_owner,
  drop column files_done,
  drop constraint imports_status_check,
  add constraint imports_status_check check (status in ('running', 'completed', 'failed'));
