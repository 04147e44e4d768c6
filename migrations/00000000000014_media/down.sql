alter table public.run_benchmarks drop column media_told_at, drop column media_joined_at;
drop table public.document_media;
drop table public.media;
