//! How much a JSON text holds, found while reading it once and keeping nothing.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The most of each that may be read.
pub(super) struct Count<'a> {
    /// Values that may still come: numbers, texts, lists, objects.
    pub values: &'a Cell<usize>,
    /// Bytes of a text.
    pub text: usize,
    /// The largest whole number.
    pub number: u64,
}

impl<'de> DeserializeSeed<'de> for &Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let left = self.values.get().checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        self.values.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Count<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match number <= self.number {
            true => Ok(()),
            false => Err(E::custom(format_args!("the number {number}, where {} is the most", self.number))),
        }
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match text.len() <= self.text {
            true => Ok(()),
            false => Err(E::custom(format_args!("a text of {} bytes", text.len()))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(self)?.is_some() {
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}
