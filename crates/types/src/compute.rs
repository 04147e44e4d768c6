//! What hardware a run asks for.

use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The most GPUs a profile may ask for.
const MAX_GPUS: u32 = 64;

/// How several GPUs are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GpuLaunch {
    /// One process sees every GPU (tensor parallel, `device_map=auto`).
    #[default]
    SingleProcess,
    /// One process per GPU, each with a full copy of the model, by `accelerate launch`.
    DataParallel,
}

/// The GPUs a run asks for. Written `4070-8GB`, `2×A100`, `2xA100-80GB`, `cpu`, or as an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComputeProfile {
    /// How many GPUs; 0 asks for none.
    pub gpus: u32,
    /// Least memory of each GPU, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_memory: Option<u32>,
    /// Text that each GPU's name must contain, ignoring case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How several GPUs are used.
    #[serde(default)]
    pub launch: GpuLaunch,
}

/// A text that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no compute profile; expected e.g. `cpu`, `4070-8GB`, `2×A100` or `4xH100-80GB`")]
pub struct ProfileError(pub String);

impl ComputeProfile {
    /// Whether a GPU of this name and memory (in bytes) would do. Cards are sold by round numbers
    /// and report a little less: a tenth is forgiven.
    pub fn is_met_by(&self, gpu: &str, memory: u64) -> bool {
        let gib = u64::from(self.min_memory.unwrap_or(0));
        let names = |part: &String| gpu.to_lowercase().contains(&part.to_lowercase());
        memory >= (gib << 30) / 10 * 9 && self.name.as_ref().is_none_or(names)
    }
}

impl FromStr for ComputeProfile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ProfileError(text.to_owned());
        let text_ = text.trim();
        if text_.eq_ignore_ascii_case("cpu") || text_.eq_ignore_ascii_case("none") {
            return Ok(Self::default());
        }
        let (gpus, rest) = split_count(text_);
        let (name, min_memory) = split_memory(rest);
        if rest.is_empty() || gpus == 0 || gpus > MAX_GPUS || !is_name(name) {
            return Err(refuse());
        }
        let name = Some(name.to_owned()).filter(|n| !n.is_empty() && !n.eq_ignore_ascii_case("gpu"));
        Ok(Self {
            gpus,
            min_memory,
            name,
            launch: GpuLaunch::default(),
        })
    }
}

/// `2×A100` is 2 and `A100`; without a count it is 1.
fn split_count(text: &str) -> (u32, &str) {
    text.split_once(['×', 'x', 'X', '*'])
        .and_then(|(n, rest)| Some((n.trim().parse().ok()?, rest.trim())))
        .unwrap_or((1, text))
}

/// `4070-8GB` is `4070` and 8; `24GB` is any name and 24.
fn split_memory(text: &str) -> (&str, Option<u32>) {
    let (name, tail) = text.rsplit_once('-').unwrap_or(("", text));
    let digits = ["GiB", "GB", "gb", "G", "g"]
        .iter()
        .find_map(|unit| tail.strip_suffix(unit));
    match digits.and_then(|d| d.trim().parse().ok()) {
        Some(gib) => (name, Some(gib)),
        None => (text, None),
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " -_.".contains(c))
}

impl fmt::Display for ComputeProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.gpus == 0 {
            return f.write_str("cpu");
        }
        if self.gpus > 1 {
            write!(f, "{}×", self.gpus)?;
        }
        match (&self.name, self.min_memory) {
            (Some(name), Some(gib)) => write!(f, "{name}-{gib}GB"),
            (Some(name), None) => f.write_str(name),
            (None, Some(gib)) => write!(f, "{gib}GB"),
            (None, None) => f.write_str("gpu"),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Spelling {
    Text(String),
    Object(Object),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    gpus: u32,
    #[serde(default)]
    min_memory: Option<u32>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    launch: GpuLaunch,
}

impl<'de> Deserialize<'de> for ComputeProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Spelling::deserialize(deserializer)? {
            Spelling::Text(text) => text.parse().map_err(serde::de::Error::custom),
            Spelling::Object(o) if o.gpus > MAX_GPUS => Err(serde::de::Error::custom(format!(
                "`gpus` is {}; expected at most {MAX_GPUS}",
                o.gpus
            ))),
            Spelling::Object(o) => Ok(Self {
                gpus: o.gpus,
                min_memory: o.min_memory,
                name: o.name,
                launch: o.launch,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (u32, Option<String>, Option<u32>) {
        let p: ComputeProfile = text.parse().unwrap();
        (p.gpus, p.name, p.min_memory)
    }

    #[test]
    fn reads_the_usual_spellings() {
        assert_eq!(parsed("4070-8GB"), (1, Some("4070".into()), Some(8)));
        assert_eq!(parsed("2×A100"), (2, Some("A100".into()), None));
        assert_eq!(parsed("4xH100-80GB"), (4, Some("H100".into()), Some(80)));
        assert_eq!(parsed("24GB"), (1, None, Some(24)));
        assert_eq!(parsed("2xgpu"), (2, None, None));
        assert_eq!(parsed("cpu"), (0, None, None));
        assert_eq!(parsed("RTX 4090"), (1, Some("RTX 4090".into()), None));
    }

    #[test]
    fn a_gpu_meets_it_by_name_and_memory() {
        let profile: ComputeProfile = "a100-80GB".parse().unwrap();
        assert!(profile.is_met_by("NVIDIA A100-SXM4-80GB", 79 << 30));
        assert!(!profile.is_met_by("NVIDIA A100-SXM4-40GB", 40 << 30));
        assert!(!profile.is_met_by("NVIDIA H100 80GB", 80 << 30));
    }

    #[test]
    fn refuses_the_rest_by_name() {
        for text in ["", "0xA100", "65xA100", "A100;rm", "×"] {
            let error = text.parse::<ComputeProfile>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn displays_what_it_parses() {
        for text in ["4070-8GB", "2×A100", "4×H100-80GB", "24GB", "2×gpu", "cpu"] {
            assert_eq!(text.parse::<ComputeProfile>().unwrap().to_string(), text);
        }
    }
}
