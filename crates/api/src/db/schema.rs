//! The tables, as the migrations leave them.

diesel::table! {
    app.applied (name) {
        name -> Text,
        sha256 -> Text,
        applied_at -> Timestamptz,
    }
}

diesel::table! {
    organizations (id) {
        id -> Uuid,
        name -> Text,
        demo -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    memberships (organization_id, user_id) {
        organization_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        organization_id -> Uuid,
        email -> Text,
        role -> Text,
        secret_hash -> Bytea,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        role -> Text,
        scopes -> Array<Text>,
        secret_hash -> Bytea,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit_log (id) {
        id -> Int8,
        organization_id -> Nullable<Uuid>,
        at -> Timestamptz,
        actor -> Jsonb,
        action -> Text,
        object_type -> Text,
        object_id -> Nullable<Text>,
        detail -> Jsonb,
    }
}

diesel::table! {
    secrets (organization_id, name) {
        organization_id -> Uuid,
        name -> Text,
        sealed -> Bytea,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_links (secret_hash) {
        secret_hash -> Bytea,
        user_id -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    idempotency_keys (organization_id, principal, key) {
        organization_id -> Uuid,
        principal -> Text,
        key -> Text,
        request_hash -> Bytea,
        status -> Int2,
        response -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    models (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        family -> Nullable<Text>,
        source -> Nullable<Text>,
        dtype -> Nullable<Text>,
        num_parameters -> Nullable<Int8>,
        notes -> Nullable<Text>,
        backend -> Text,
        model_args -> Jsonb,
        metadata -> Jsonb,
        demo -> Bool,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    model_checkpoints (id) {
        id -> Uuid,
        organization_id -> Uuid,
        model_id -> Uuid,
        checkpoint_variant -> Text,
        checkpoint_index -> Int4,
        source -> Nullable<Text>,
        metadata -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    task_folders (id) {
        id -> Uuid,
        organization_id -> Uuid,
        path -> Text,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    benchmarks (id) {
        id -> Uuid,
        organization_id -> Nullable<Uuid>,
        name -> Text,
        kind -> Text,
        modality -> Text,
        category -> Text,
        task_type -> Nullable<Text>,
        primary_metrics -> Jsonb,
        secondary_metrics -> Jsonb,
        metrics -> Jsonb,
        filters -> Jsonb,
        num_samples -> Nullable<Int8>,
        description -> Nullable<Text>,
        tags -> Array<Text>,
        leaf_tasks -> Array<Text>,
        dataset -> Nullable<Text>,
        supports_fewshot -> Bool,
        num_fewshot -> Nullable<Int4>,
        generation_kwargs -> Jsonb,
        needs_judge -> Bool,
        needs_download -> Bool,
        origin -> Text,
        yaml_path -> Nullable<Text>,
        version -> Nullable<Text>,
        missing_since -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    benchmark_overrides (organization_id, benchmark_id) {
        organization_id -> Uuid,
        benchmark_id -> Uuid,
        modality -> Nullable<Text>,
        category -> Nullable<Text>,
        description -> Nullable<Text>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    catalogue_state (singleton) {
        singleton -> Bool,
        lmms_eval_version -> Nullable<Text>,
        fingerprint -> Text,
        indexed_at -> Timestamptz,
        problems -> Jsonb,
        backends -> Jsonb,
    }
}

diesel::table! {
    slices (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        slice_type -> Text,
        slice_value -> Nullable<Text>,
        associated_benchmarks -> Array<Uuid>,
        description -> Nullable<Text>,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        rule -> Nullable<Text>,
        state -> Text,
        error -> Nullable<Text>,
        fence -> Nullable<Int8>,
        cursor -> Nullable<Uuid>,
        seen -> Int8,
        to_see -> Int8,
        samples -> Int8,
        counted -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    runs (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        model_id -> Uuid,
        checkpoint_variant -> Text,
        created_at -> Timestamptz,
        queued_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        status -> Text,
        outcome -> Nullable<Text>,
        error_message -> Nullable<Text>,
        total_tasks -> Int4,
        completed_tasks -> Int4,
        gpu_device_id -> Nullable<Text>,
        process_id -> Nullable<Int4>,
        config -> Jsonb,
        metadata -> Jsonb,
        plan -> Jsonb,
        degraded -> Bool,
        demo -> Bool,
        created_by -> Nullable<Uuid>,
        created_by_token -> Nullable<Uuid>,
        cancel_requested_at -> Nullable<Timestamptz>,
        cancel_requested_by -> Nullable<Jsonb>,
        priority -> Int4,
        not_before -> Timestamptz,
        epoch -> Int4,
        lease_owner -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
        last_seq -> Int8,
        log_lines -> Int8,
        current_run_benchmark_id -> Nullable<Uuid>,
        live -> Jsonb,
        progress_percent -> Float8,
        items_per_second -> Nullable<Float8>,
        eta_seconds -> Nullable<Int8>,
        import_id -> Nullable<Uuid>,
        import_hash -> Nullable<Bytea>,
    }
}

diesel::table! {
    imports (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        source -> Text,
        status -> Text,
        error_message -> Nullable<Text>,
        mapping -> Jsonb,
        files_total -> Int4,
        runs_total -> Int4,
        runs_done -> Int4,
        created_by -> Nullable<Uuid>,
        created_by_token -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        completed_at -> Nullable<Timestamptz>,
        files_done -> Int4,
        lease_owner -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
        tries -> Int4,
        cancel_requested_at -> Nullable<Timestamptz>,
        plan -> Jsonb,
    }
}

diesel::table! {
    import_uploads (import_id, path) {
        import_id -> Uuid,
        path -> Text,
        organization_id -> Uuid,
        object -> Uuid,
        sha256 -> Text,
        size -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    import_files (import_id, position) {
        import_id -> Uuid,
        position -> Int4,
        organization_id -> Uuid,
        path -> Text,
        sha256 -> Nullable<Text>,
        kind -> Text,
        status -> Text,
        run_id -> Nullable<Uuid>,
        report -> Jsonb,
    }
}

diesel::table! {
    run_attempts (id) {
        id -> Uuid,
        organization_id -> Uuid,
        run_id -> Uuid,
        epoch -> Int4,
        state -> Text,
        outcome -> Nullable<Text>,
        reason -> Nullable<Text>,
        engine -> Text,
        engine_name -> Text,
        host -> Nullable<Text>,
        directory -> Nullable<Text>,
        gpus -> Array<Text>,
        token_hash -> Bytea,
        pid -> Nullable<Int4>,
        next_batch_no -> Int8,
        offsets -> Jsonb,
        environment -> Jsonb,
        exit -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        heartbeat_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    run_benchmarks (id) {
        id -> Uuid,
        organization_id -> Uuid,
        run_id -> Uuid,
        benchmark_id -> Uuid,
        name -> Text,
        order -> Int4,
        status -> Text,
        outcome -> Nullable<Text>,
        error_message -> Nullable<Text>,
        evidence -> Jsonb,
        degraded -> Nullable<Text>,
        leaf_tasks -> Array<Text>,
        started_at -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        attempt_id -> Nullable<Uuid>,
        done -> Nullable<Jsonb>,
        ingested_at -> Nullable<Timestamptz>,
        sample_count -> Int8,
        media_told_at -> Nullable<Timestamptz>,
        media_joined_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    media (organization_id, sha256) {
        organization_id -> Uuid,
        sha256 -> Text,
        kind -> Text,
        mime -> Text,
        bytes -> Int8,
        width -> Nullable<Int4>,
        height -> Nullable<Int4>,
        duration -> Nullable<Double>,
        problem -> Nullable<Text>,
        object_key -> Text,
        thumbnail_key -> Nullable<Text>,
        thumbnail_problem -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    document_media (run_benchmark_id, benchmark_id, doc_id, position) {
        organization_id -> Uuid,
        run_benchmark_id -> Uuid,
        benchmark_id -> Uuid,
        doc_id -> Int8,
        position -> Int4,
        claimed -> Nullable<Text>,
        name -> Nullable<Text>,
        sha256 -> Nullable<Text>,
        problem -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    run_events (run_id, seq) {
        run_id -> Uuid,
        seq -> Int8,
        first_seq -> Int8,
        organization_id -> Uuid,
        kind -> Text,
        payload -> Jsonb,
        at -> Timestamptz,
    }
}

diesel::table! {
    run_logs (id) {
        id -> Int8,
        organization_id -> Uuid,
        run_id -> Uuid,
        seq -> Int8,
        attempt -> Int4,
        stream -> Text,
        byte_offset -> Int8,
        timestamp -> Timestamptz,
        level -> Text,
        message -> Text,
        context -> Nullable<Jsonb>,
    }
}

diesel::table! {
    log_chunks (attempt_id, stream, byte_offset) {
        attempt_id -> Uuid,
        organization_id -> Uuid,
        stream -> Text,
        byte_offset -> Int8,
        length -> Int4,
        object_key -> Text,
    }
}

diesel::table! {
    artifacts (id) {
        id -> Uuid,
        organization_id -> Uuid,
        run_id -> Uuid,
        attempt_id -> Nullable<Uuid>,
        run_benchmark_id -> Nullable<Uuid>,
        artifact_type -> Text,
        name -> Text,
        file_path -> Text,
        file_size -> Int8,
        sha256 -> Nullable<Text>,
        metadata -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    ws_tickets (ticket_hash) {
        ticket_hash -> Bytea,
        organization_id -> Uuid,
        run_id -> Uuid,
        principal -> Jsonb,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    run_metrics (id) {
        id -> Uuid,
        organization_id -> Uuid,
        run_id -> Uuid,
        run_benchmark_id -> Uuid,
        benchmark_id -> Uuid,
        metric_name -> Text,
        filter -> Text,
        metric_value -> Nullable<Float8>,
        stderr -> Nullable<Float8>,
        higher_is_better -> Nullable<Bool>,
        sample_count -> Nullable<Int8>,
        is_group -> Bool,
        slice_id -> Nullable<Uuid>,
        updated_at -> Timestamptz,
        conditions -> Jsonb,
        of_samples -> Bool,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    run_samples (id) {
        id -> Uuid,
        organization_id -> Uuid,
        run_id -> Uuid,
        run_benchmark_id -> Uuid,
        benchmark_id -> Uuid,
        sample_index -> Int8,
        doc_id -> Int8,
        filter -> Text,
        input_data -> Jsonb,
        ground_truth -> Nullable<Jsonb>,
        prediction -> Nullable<Jsonb>,
        raw_prediction -> Nullable<Jsonb>,
        metrics -> Jsonb,
        doc -> Nullable<Jsonb>,
        score -> Nullable<Float8>,
        score_reason -> Nullable<Text>,
        error -> Nullable<Float8>,
        confidence -> Nullable<Float8>,
        flags -> Array<Text>,
        content_hash -> Nullable<Bytea>,
        prompt_hash -> Nullable<Bytea>,
        target_hash -> Nullable<Bytea>,
        slice_assignments -> Array<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sample_slices (slice_id, sample_id) {
        slice_id -> Uuid,
        sample_id -> Uuid,
        organization_id -> Uuid,
    }
}

diesel::table! {
    comparison_sessions (id) {
        id -> Uuid,
        organization_id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        comparison_type -> Text,
        run_ids -> Array<Uuid>,
        benchmark_ids -> Array<Uuid>,
        slice_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    saved_views (id) {
        id -> Uuid,
        organization_id -> Uuid,
        user_id -> Uuid,
        page -> Text,
        name -> Text,
        body -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    hosts (host) {
        host -> Text,
        engine -> Text,
        worker_id -> Uuid,
        lmms_eval_version -> Nullable<Text>,
        gpu_reason -> Nullable<Text>,
        disk_free -> Nullable<Int8>,
        problem -> Nullable<Text>,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    gpu_devices (host, uuid) {
        host -> Text,
        uuid -> Text,
        index -> Int4,
        name -> Text,
        memory_total -> Int8,
        memory_used -> Int8,
        utilization -> Int4,
        state -> Text,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    gpu_allocations (id) {
        id -> Int8,
        host -> Text,
        gpu_uuid -> Text,
        attempt_id -> Uuid,
        organization_id -> Uuid,
        allocated_at -> Timestamptz,
        released_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth.users (id) {
        id -> Uuid,
        aud -> Nullable<Text>,
        role -> Nullable<Text>,
        email -> Nullable<Text>,
        encrypted_password -> Nullable<Text>,
        email_confirmed_at -> Nullable<Timestamptz>,
        last_sign_in_at -> Nullable<Timestamptz>,
        raw_app_meta_data -> Nullable<Jsonb>,
        raw_user_meta_data -> Nullable<Jsonb>,
        created_at -> Nullable<Timestamptz>,
        updated_at -> Nullable<Timestamptz>,
        banned_until -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        is_sso_user -> Bool,
        is_anonymous -> Bool,
    }
}

diesel::table! {
    auth.sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        created_at -> Nullable<Timestamptz>,
        updated_at -> Nullable<Timestamptz>,
        not_after -> Nullable<Timestamptz>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    auth.refresh_tokens (id) {
        id -> Int8,
        token -> Nullable<Text>,
        user_id -> Nullable<Text>,
        revoked -> Nullable<Bool>,
        parent -> Nullable<Text>,
        session_id -> Nullable<Uuid>,
        created_at -> Nullable<Timestamptz>,
        updated_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(memberships -> organizations (organization_id));
diesel::joinable!(invitations -> organizations (organization_id));
diesel::joinable!(api_tokens -> organizations (organization_id));
diesel::joinable!(audit_log -> organizations (organization_id));
diesel::joinable!(secrets -> organizations (organization_id));
diesel::joinable!(idempotency_keys -> organizations (organization_id));
diesel::joinable!(models -> organizations (organization_id));
diesel::joinable!(model_checkpoints -> organizations (organization_id));
diesel::joinable!(model_checkpoints -> models (model_id));
diesel::joinable!(task_folders -> organizations (organization_id));
diesel::joinable!(benchmarks -> organizations (organization_id));
diesel::joinable!(benchmark_overrides -> organizations (organization_id));
diesel::joinable!(benchmark_overrides -> benchmarks (benchmark_id));
diesel::joinable!(slices -> organizations (organization_id));
diesel::joinable!(runs -> organizations (organization_id));
diesel::joinable!(runs -> models (model_id));
diesel::joinable!(runs -> api_tokens (created_by_token));
diesel::joinable!(run_attempts -> organizations (organization_id));
diesel::joinable!(imports -> organizations (organization_id));
diesel::joinable!(import_files -> imports (import_id));
diesel::joinable!(import_uploads -> imports (import_id));
diesel::joinable!(import_uploads -> organizations (organization_id));
diesel::joinable!(import_files -> organizations (organization_id));
diesel::joinable!(run_attempts -> runs (run_id));
diesel::joinable!(run_benchmarks -> organizations (organization_id));
diesel::joinable!(run_benchmarks -> runs (run_id));
diesel::joinable!(run_benchmarks -> benchmarks (benchmark_id));
diesel::joinable!(run_benchmarks -> run_attempts (attempt_id));
diesel::joinable!(run_events -> runs (run_id));
diesel::joinable!(run_events -> organizations (organization_id));
diesel::joinable!(run_logs -> organizations (organization_id));
diesel::joinable!(run_logs -> runs (run_id));
diesel::joinable!(log_chunks -> run_attempts (attempt_id));
diesel::joinable!(log_chunks -> organizations (organization_id));
diesel::joinable!(artifacts -> organizations (organization_id));
diesel::joinable!(artifacts -> runs (run_id));
diesel::joinable!(artifacts -> run_attempts (attempt_id));
diesel::joinable!(artifacts -> run_benchmarks (run_benchmark_id));
diesel::joinable!(ws_tickets -> organizations (organization_id));
diesel::joinable!(ws_tickets -> runs (run_id));
diesel::joinable!(run_metrics -> organizations (organization_id));
diesel::joinable!(run_metrics -> runs (run_id));
diesel::joinable!(run_metrics -> run_benchmarks (run_benchmark_id));
diesel::joinable!(run_metrics -> benchmarks (benchmark_id));
diesel::joinable!(run_metrics -> slices (slice_id));
diesel::joinable!(run_samples -> organizations (organization_id));
diesel::joinable!(run_samples -> runs (run_id));
diesel::joinable!(run_samples -> run_benchmarks (run_benchmark_id));
diesel::joinable!(run_samples -> benchmarks (benchmark_id));
diesel::joinable!(sample_slices -> slices (slice_id));
diesel::joinable!(sample_slices -> run_samples (sample_id));
diesel::joinable!(sample_slices -> organizations (organization_id));
diesel::joinable!(comparison_sessions -> organizations (organization_id));
diesel::joinable!(comparison_sessions -> slices (slice_id));
diesel::joinable!(saved_views -> organizations (organization_id));
diesel::joinable!(gpu_devices -> hosts (host));
diesel::joinable!(gpu_allocations -> run_attempts (attempt_id));
diesel::joinable!(gpu_allocations -> organizations (organization_id));

diesel::allow_tables_to_appear_in_same_query!(
    organizations,
    memberships,
    invitations,
    api_tokens,
    audit_log,
    secrets,
    sign_in_links,
    idempotency_keys,
    models,
    model_checkpoints,
    task_folders,
    benchmarks,
    benchmark_overrides,
    catalogue_state,
    slices,
    runs,
    run_attempts,
    run_benchmarks,
    run_events,
    run_logs,
    log_chunks,
    artifacts,
    ws_tickets,
    run_metrics,
    run_samples,
    sample_slices,
    comparison_sessions,
    saved_views,
    hosts,
    gpu_devices,
    gpu_allocations,
);
