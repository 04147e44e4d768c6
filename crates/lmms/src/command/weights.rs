//! Which key of `--model_args` names the weights, for each model backend.

/// Backends whose key is not the usual `pretrained`, read off the constructors of lmms-eval
/// 0.7.3. Aliases stand beside their canonical name.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    (
        "model",
        &[
            "async_openai",
            "async_openai_compatible",
            "async_openai_compatible_chat",
            "fastvideo",
            "generation_api",
            "litellm",
            "litellm_chat",
            "litellm_compatible",
            "longvila",
            "openai",
            "openai_compatible",
            "openai_compatible_chat",
            "sglang",
            "vllm",
            "vllm_generate",
        ],
    ),
    (
        "model_version",
        &[
            "batch_gpt4",
            "claude",
            "gemini",
            "gemini_api",
            "gpt4o_audio",
            "gpt4v",
            "qwen_vl_api",
            "reka",
            "srt_api",
        ],
    ),
    ("model_path", &["videoChatGPT"]),
    ("model_id_name", &["phi3v"]),
    ("pretrained_llama_model", &["moviechat"]),
    ("nim_model", &["cosmos_wm"]),
    ("config_file", &["magi1_wm"]),
    ("model_name", &["from_log"]),
];

/// The key of `--model_args` that names the weights; `None` for a backend without weights.
#[must_use]
pub fn weights_key(backend: &str) -> Option<&'static str> {
    if matches!(backend, "dummy" | "dummy_video_reader") {
        return None;
    }
    let listed = EXCEPTIONS
        .iter()
        .find(|(_, backends)| backends.contains(&backend));
    Some(listed.map_or("pretrained", |&(key, _)| key))
}
