drop table public.import_files;
alter table public.runs drop column import_hash, drop column import_id;
drop table public.imports;
