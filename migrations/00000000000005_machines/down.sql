drop table public.gpu_allocations, public.gpu_devices, public.hosts;
