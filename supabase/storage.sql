-- The bucket for artifacts of a hosted project: private, reached through our own signed addresses alone.
do $$
begin
  if to_regclass('storage.buckets') is not null then
    insert into storage.buckets (id, name, public) values ('lmms-artifacts', 'lmms-artifacts', false)
      on conflict (id) do nothing;
  end if;
end
$$;
