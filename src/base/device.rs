//! Devices: where a model is computed, and what was asked for.

use std::{fmt, str::FromStr};

/// Where a model is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card, by its index among those the driver shows.
    Cuda(u32),
}

/// What `--device` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This device and no other.
    This(Device),
    /// The first CUDA device where one is usable, else the processor.
    Auto,
}

/// A word that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown device {0:?}; expected cpu, cuda, cuda:N (the first card is cuda:0) or auto")]
pub struct UnknownDevice(String);

impl Device {
    /// The execution provider as keys name it. Not which card: as little as which processor.
    pub fn provider(self) -> &'static str {
        match self {
            Device::Cpu => "cpu",
            Device::Cuda(_) => "cuda",
        }
    }
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted::This(Device::Cpu)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::This(device) => device.fmt(f),
            Wanted::Auto => f.write_str("auto"),
        }
    }
}

impl FromStr for Wanted {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Wanted, UnknownDevice> {
        let unknown = || UnknownDevice(text.to_string());
        Ok(match text {
            "auto" => Wanted::Auto,
            "cpu" => Wanted::This(Device::Cpu),
            "cuda" => Wanted::This(Device::Cuda(0)),
            _ => {
                let index = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                // "+1" is a number to Rust, and no device.
                let digits = index.bytes().all(|byte| byte.is_ascii_digit());
                Wanted::This(Device::Cuda(index.parse().ok().filter(|_| digits).ok_or_else(unknown)?))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_devices_and_others_are_refused() {
        let read = |text: &str| text.parse::<Wanted>();
        assert_eq!(read("cpu").unwrap(), Wanted::default());
        assert_eq!(read("cuda").unwrap(), Wanted::This(Device::Cuda(0)));
        assert_eq!(read("cuda:3").unwrap(), Wanted::This(Device::Cuda(3)));
        for text in ["cpu", "cuda:0", "cuda:7", "auto"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        for text in ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda:99999999999", "cpu:0"]
        {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains(&format!("{text:?}")) && message.contains("cuda:N"), "{message}");
        }
    }

    #[test]
    fn every_card_is_the_same_provider() {
        assert_eq!(Device::Cpu.provider(), "cpu");
        assert_eq!([0, 1].map(|index| Device::Cuda(index).provider()), ["cuda", "cuda"]);
    }
}
