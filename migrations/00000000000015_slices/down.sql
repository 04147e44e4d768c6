grant delete on public.slices to authenticated;
alter table public.run_metrics drop column reason, drop column of_samples;
drop index public.run_benchmarks_organization_id_id;
delete from public.slices where state = 'deleting';
drop index public.slices_organization_id_name_key;
drop index public.slices_organization_id;
alter table public.slices add constraint slices_organization_id_name_key unique (organization_id, name);
-- The policy reads a column that goes.
drop policy if exists read on public.slices;
drop trigger if exists slice_changes on public.slices;
drop function if exists app.slice_changes();
alter table public.slices
  drop column updated_at, drop column counted, drop column samples, drop column to_see, drop column seen, drop column cursor,
  drop column fence, drop column error, drop column state, drop column rule;
