//! Protobuf at the level of fields, over borrowed bytes: a file of gigabytes is walked without copying a tensor.

/// The bytes are not protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Where in the message, in bytes.
    pub at: usize,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    Varint(u64),
    /// A string, a message, bytes, or packed numbers.
    Bytes(&'a [u8]),
    /// Four or eight bytes, which nothing here needs.
    Fixed,
}

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub number: u64,
    /// Where the field begins in the message, with its tag, and where it ends.
    pub span: (usize, usize),
    pub payload: Payload<'a>,
}

impl<'a> Field<'a> {
    /// The bytes of a string, message or packed field; none for a number.
    pub(super) fn bytes(&self) -> &'a [u8] {
        if let Payload::Bytes(bytes) = self.payload { bytes } else { &[] }
    }

    pub(super) fn text(&self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()).map_err(|_| Malformed { at: self.span.0 })
    }
}

/// The fields of a message in file order; ends after the first malformed one.
pub(super) struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { message, at: 0 }
}

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.message.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn field(&mut self) -> Option<Field<'a>> {
        let start = self.at;
        let tag = self.varint()?;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => self.take(8).map(|_| Payload::Fixed)?,
            2 => {
                let length = self.varint()?;
                Payload::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Payload::Fixed)?,
            _ => return None, // groups were removed before ONNX began
        };
        let number = tag >> 3;
        (number > 0).then_some(Field { number, span: (start, self.at), payload })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.message.len() {
            return None;
        }
        let at = self.at;
        let field = self.field().ok_or(Malformed { at });
        if field.is_err() {
            self.at = self.message.len();
        }
        Some(field)
    }
}

/// Numbers of a repeated integer field, written one by one or packed.
pub(super) fn integers(field: &Field<'_>) -> Result<Vec<i64>, Malformed> {
    let bytes = match field.payload {
        Payload::Varint(number) => return Ok(vec![number as i64]),
        Payload::Bytes(bytes) => bytes,
        Payload::Fixed => return Ok(Vec::new()),
    };
    let mut packed = fields(bytes);
    let mut numbers = Vec::new();
    while packed.at < bytes.len() {
        numbers.push(packed.varint().ok_or(Malformed { at: field.span.0 })? as i64);
    }
    Ok(numbers)
}

/// A number as a varint, for a length written anew.
pub(super) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_kind_are_walked_and_spans_cover_the_message() {
        let message = b"\x08\x96\x01\x12\x02hi\x1d\x00\x00\x80\x3f\x21\x00\x00\x00\x00\x00\x00\x00\x00";
        let found: Vec<Field<'_>> = fields(message).collect::<Result<_, _>>().unwrap();
        assert_eq!(found.iter().map(|f| f.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(found[0].payload, Payload::Varint(150));
        assert_eq!(found[1].text(), Ok("hi"));
        assert_eq!(found.iter().map(|f| f.span).collect::<Vec<_>>(), [(0, 3), (3, 7), (7, 12), (12, 21)]);
    }

    #[test]
    fn what_ends_early_or_is_no_protobuf_is_malformed_where_it_begins() {
        for (bytes, at) in [(&b"\x08\x01\x12\x05hi"[..], 2), (b"\x0b", 0), (b"\x00\x01", 0), (b"\x08\xff", 0)]
        {
            let last = fields(bytes).last().unwrap();
            assert_eq!(last.unwrap_err(), Malformed { at }, "{bytes:?}");
        }
    }

    #[test]
    fn varints_come_back_as_they_went() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let bytes = varint(number);
            assert_eq!(fields(&bytes).varint(), Some(number));
        }
    }
}
