//! The compact protocol of Apache Thrift, in which the footer of a Parquet file is written: walked without keeping anything, to
//! see that its lists are as long as they say. Source: `doc/specs/thrift-compact-protocol.md` of Apache Thrift.

/// Structs and lists in each other; a footer has seven.
const DEEPEST: usize = 32;

const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// The type that a field must have: its reader does not look whether it has it, and would read on from a wrong place.
enum Shape {
    Truth,
    Byte,
    Number,
    Bytes,
    List(&'static Shape),
    /// Fields by number; others have any type.
    Struct(&'static [(i64, Shape)]),
}

use Shape::{Byte, Bytes, List, Number, Struct, Truth};

/// A footer. Source: `FileMetaData` in `parquet.thrift` of Apache Parquet.
const FOOTER: Shape = Struct(&[
    (1, Number),
    (2, List(&ELEMENT)),
    (3, Number),
    (4, List(&GROUP)),
    (5, List(&Struct(&[(1, Bytes), (2, Bytes)]))),
    (6, Bytes),
    (7, List(&Struct(&[(1, Struct(&[]))]))),
]);
/// `SchemaElement`.
const ELEMENT: Shape = Struct(&[
    (1, Number),
    (2, Number),
    (3, Number),
    (4, Bytes),
    (5, Number),
    (6, Number),
    (7, Number),
    (8, Number),
    (9, Number),
    (10, Struct(&[(5, Struct(&[(1, Number), (2, Number)])), (7, TIME), (8, TIME), (10, INTEGER)])),
]);
const TIME: Shape =
    Struct(&[(1, Truth), (2, Struct(&[(1, Struct(&[])), (2, Struct(&[])), (3, Struct(&[]))]))]);
const INTEGER: Shape = Struct(&[(1, Byte), (2, Truth)]);
/// `RowGroup`.
const GROUP: Shape = Struct(&[
    (1, List(&CHUNK)),
    (2, Number),
    (3, Number),
    (4, List(&Struct(&[(1, Number), (2, Truth), (3, Truth)]))),
    (5, Number),
    (6, Number),
    (7, Number),
]);
/// `ColumnChunk`.
const CHUNK: Shape =
    Struct(&[(1, Bytes), (2, Number), (3, COLUMN), (4, Number), (5, Number), (6, Number), (7, Number)]);
/// `ColumnMetaData`.
const COLUMN: Shape = Struct(&[
    (1, Number),
    (2, List(&Number)),
    (3, List(&Bytes)),
    (4, Number),
    (5, Number),
    (6, Number),
    (7, Number),
    (9, Number),
    (10, Number),
    (11, Number),
    (12, STATISTICS),
    (14, Number),
    (15, Number),
]);
const STATISTICS: Shape = Struct(&[
    (1, Bytes),
    (2, Bytes),
    (3, Number),
    (4, Number),
    (5, Bytes),
    (6, Bytes),
    (7, Truth),
    (8, Truth),
]);

/// Walks the footer at the beginning of some bytes; `None` where it is none, or does not end in them.
pub(super) fn walk(mut bytes: &[u8]) -> Option<()> {
    value(&mut bytes, STRUCT, Some(&FOOTER), DEEPEST)
}

/// Whether a type is that of a shape.
fn fits(kind: u8, shape: &Shape) -> bool {
    match shape {
        Truth => matches!(kind, 1 | 2),
        Byte => kind == 3,
        Number => matches!(kind, 4..=6),
        Bytes => kind == 8,
        List(_) => kind == LIST,
        Struct(_) => kind == STRUCT,
    }
}

/// Walks a value of a type, which must be that of the shape.
fn value(bytes: &mut &[u8], kind: u8, shape: Option<&Shape>, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    if shape.is_some_and(|shape| !fits(kind, shape)) {
        return None;
    }
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
            let element = if let Some(List(element)) = shape { Some(*element) } else { None };
            (0..count).try_for_each(|_| value(bytes, head & 15, element, depth))
        }
        MAP => {
            let count = varint(bytes)?;
            let kinds = if count > 0 { byte(bytes)? } else { 0 };
            (0..count).try_for_each(|_| {
                value(bytes, kinds >> 4, None, depth)?;
                value(bytes, kinds & 15, None, depth)
            })
        }
        STRUCT => fields(bytes, if let Some(Struct(fields)) = shape { fields } else { &[] }, depth),
        _ => None,
    }
}

/// Walks the fields of a struct.
fn fields(bytes: &mut &[u8], shapes: &[(i64, Shape)], depth: usize) -> Option<()> {
    let mut number = 0i64;
    loop {
        let head = byte(bytes)?;
        if head == 0 {
            return Some(());
        }
        number = match head >> 4 {
            0 => {
                let coded = varint(bytes)?;
                (coded >> 1) as i64 ^ -((coded & 1) as i64)
            }
            more => number + i64::from(more),
        };
        let shape = shapes.iter().find(|(of, _)| *of == number).map(|(_, shape)| shape);
        match head & 15 {
            // The type of a truth is its value.
            kind @ 1..=2 if shape.is_none_or(|shape| fits(kind, shape)) => {}
            1..=2 => return None,
            kind => value(bytes, kind, shape, depth)?,
        }
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
    fn a_footer_is_walked_to_its_end_and_lists_must_be_as_long_as_they_say() {
        // 1 is a number, 5 a list of one pair of texts, 6 a text, 20 a struct of a double, 21 an empty map.
        let sound = [
            0x15, 2, 0x49, 0x1c, 0x18, 1, b'a', 0x18, 1, b'b', 0, 0x18, 2, b'c', b'd', 0x0c, 40, 0x17, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0x1b, 0, 0,
        ];
        assert_eq!(walk(&sound), Some(()));
        for length in 0..sound.len() {
            assert_eq!(walk(&sound[..length]), None, "{length}");
        }
        assert_eq!(walk(&[0x29, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0]), None, "a list that is not there");
        assert_eq!(walk(&[0x18, 1, b'a', 0]), None, "a text in place of a number");
        assert_eq!(walk(&[0x11, 0]), None, "a truth in place of a number");
        assert_eq!(walk(&[0x1d, 0]), None, "a type that is none");
        assert_eq!(walk(&[&[0xfc; 2][..], &[0x1c; 100]].concat()), None, "structs in structs without end");
    }
}
