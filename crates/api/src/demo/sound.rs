//! Tones, as WAV.

use super::chance::Dice;
use std::f64::consts::TAU;

/// Samples a second.
const RATE: u32 = 8000;
/// Of 32767.
const LOUDNESS: f64 = 12000.0;
/// Seconds over which a tone swells and dies away, so that it does not click.
const EDGE: f64 = 0.02;

/// A tone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    /// In hertz.
    pub(super) pitch: f64,
    /// In seconds.
    pub(super) seconds: f64,
    /// A square wave instead of a sine.
    pub(super) square: bool,
    /// Share of the loudness that is noise.
    pub(super) noise: f64,
}

/// The tone as a WAV file: 16 bit, one channel.
pub(super) fn wav(tone: Tone, dice: &mut Dice) -> Vec<u8> {
    let count = (tone.seconds * f64::from(RATE)).round() as u32;
    let bytes = count * 2;
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // Uncompressed, one channel.
    file.extend(1_u16.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(2_u16.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    for i in 0..count {
        let value = level(tone, f64::from(i) / f64::from(RATE), dice) * LOUDNESS;
        file.extend((value.round() as i16).to_le_bytes());
    }
    file
}

/// From -1 to 1.
fn level(tone: Tone, at: f64, dice: &mut Dice) -> f64 {
    let sine = (TAU * tone.pitch * at).sin();
    let clean = if tone.square { sine.signum() * 0.6 } else { sine };
    let noise = f64::from(dice.between(0, 2000)) / 1000.0 - 1.0;
    let edge = (at / EDGE).min((tone.seconds - at) / EDGE).clamp(0.0, 1.0);
    edge * (clean * (1.0 - tone.noise) + noise * tone.noise)
}
