//! What a task shows to the model, guessed: no YAML says it.

use serde_json::Value;

use super::Modality;
use super::loader::Config;

/// Folders of the task library whose documents are sound. The other modalities show in the YAML.
const AUDIO: [&str; 34] = [
    "air_bench",
    "alpaca_audio",
    "ami",
    "clotho_aqa",
    "cn_college_listen_mcq",
    "common_voice_15",
    "covost2",
    "dream_tts_mcq",
    "europal_asr",
    "fleurs",
    "gigaspeech",
    "librispeech",
    "mmar",
    "mmau",
    "mmsu",
    "muchomusic",
    "open_asr",
    "openhermes",
    "openslr_librispeech",
    "people_speech",
    "song_describer",
    "step2_audio_paralinguistic",
    "tedlium",
    "vggsound",
    "vocalsound",
    "voicebench",
    "voxpopuli",
    "wavcaps",
    "wenet_speech",
    "spgispeech",
    "earnings22",
    "musicbench",
    "cochlscene",
    "audiocaps",
];

/// The guess, from the task's folder and its configuration.
pub(super) fn guess(folder: &str, config: &Config) -> Modality {
    let setting = |key: &str| config.get("dataset_kwargs").and_then(|kwargs| kwargs.get(key));
    let dataset = config
        .get("dataset_path")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if AUDIO.contains(&folder) || dataset.starts_with("lmms-lab-audio/") {
        Modality::Audio
    } else if setting("video") == Some(&Value::Bool(true)) {
        Modality::Video
    } else if !given(config, "doc_to_visual") && !given(config, "doc_to_messages") {
        Modality::Text
    } else if setting("audio") == Some(&Value::Bool(true)) || folder.contains("audio") {
        Modality::Audio
    } else if folder.contains("video") {
        Modality::Video
    } else {
        Modality::Image
    }
}

fn given(config: &Config, key: &str) -> bool {
    config
        .get(key)
        .is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
}
