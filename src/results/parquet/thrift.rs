//! The compact protocol of Apache Thrift, in which the footer of a Parquet file is written: walked without keeping anything, to
//! see that its lists are as long as they say. Source: `doc/specs/thrift-compact-protocol.md` of Apache Thrift.

/// Structs and lists in each other; a footer has seven.
const DEEPEST: usize = 32;

const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// Walks one struct at the beginning of some bytes; `None` where it does not end in them.
pub(super) fn walk(mut bytes: &[u8]) -> Option<()> {
    value(&mut bytes, STRUCT, DEEPEST)
}

/// Walks a value of a type.
fn value(bytes: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        1..=3 => take(bytes, 1),
        4..=6 => varint(bytes).map(drop),
        7 => take(bytes, 8),
        8 => {
            let length = varint(bytes)?;
            take(bytes, length)
        }
        LIST | SET => {
            let head = byte(bytes)?;
            let count = if head >> 4 == 15 { varint(bytes)? } else { u64::from(head >> 4) };
            (0..count).try_for_each(|_| value(bytes, head & 15, depth))
        }
        MAP => {
            let count = varint(bytes)?;
            let kinds = if count > 0 { byte(bytes)? } else { 0 };
            (0..count).try_for_each(|_| {
                value(bytes, kinds >> 4, depth)?;
                value(bytes, kinds & 15, depth)
            })
        }
        STRUCT => loop {
            let head = byte(bytes)?;
            if head == 0 {
                return Some(());
            }
            if head >> 4 == 0 {
                varint(bytes)?; // the number of the field, where it is not a little more than that before
            }
            // The type of a truth is its value.
            if head & 15 > 2 {
                value(bytes, head & 15, depth)?;
            }
        },
        _ => None,
    }
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take(bytes: &mut &[u8], length: u64) -> Option<()> {
    *bytes = bytes.get(usize::try_from(length).ok()?..)?;
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_walked_to_its_end_and_lists_must_be_as_long_as_they_say() {
        // Field 1 is true, 2 a list of two numbers, 3 a text, 20 a struct of a double, 21 an empty map.
        let sound = [
            0x11, 0x19, 0x25, 1, 0x80, 1, 0x18, 2, b'a', b'b', 0x0c, 40, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0x1b, 0, 0,
        ];
        assert_eq!(walk(&sound), Some(()));
        for length in 0..sound.len() {
            assert_eq!(walk(&sound[..length]), None, "{length}");
        }
        assert_eq!(walk(&[0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]), None);
        assert_eq!(walk(&[0x1d, 0]), None, "a type that is none");
        assert_eq!(walk(&[0x1c; 100]), None, "structs in structs without end");
    }
}
