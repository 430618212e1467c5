//! Mutations of protocol buffers: fields more, less, elsewhere and with other numbers, lengths that mostly fit.

use rand::{RngExt, rngs::ChaCha8Rng};

use super::{bytes, number};

/// Messages in messages that are taken apart.
const DEEPEST: usize = 6;
/// Bytes of a field beyond which it is weights and nothing else: they are left out.
const LONGEST: usize = 4096;

/// The fields of a message, in their order.
#[derive(Clone)]
pub(super) struct Message(Vec<Field>);

#[derive(Clone)]
struct Field {
    number: u64,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Varint(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Message(Message),
}

impl Message {
    /// Takes bytes apart; `None` where they are no message.
    pub(super) fn of(mut bytes: &[u8], depth: usize) -> Option<Message> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = take_varint(&mut bytes)?;
            let content = match key & 7 {
                0 => Content::Varint(take_varint(&mut bytes)?),
                1 => Content::Fixed(take(&mut bytes, 8)?.to_vec()),
                5 => Content::Fixed(take(&mut bytes, 4)?.to_vec()),
                2 => {
                    let length = take_varint(&mut bytes)?;
                    let inner = take(&mut bytes, usize::try_from(length).ok()?)?;
                    let message = (depth < DEEPEST && key >> 3 != 9 && !inner.is_empty())
                        .then(|| Message::of(inner, depth + 1))
                        .flatten();
                    match message {
                        Some(message) => Content::Message(message),
                        None if inner.len() > LONGEST => Content::Bytes(Vec::new()),
                        None => Content::Bytes(inner.to_vec()),
                    }
                }
                _ => return None,
            };
            if key >> 3 == 0 {
                return None;
            }
            fields.push(Field { number: key >> 3, content });
        }
        Some(Message(fields))
    }

    /// The message as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, &mut put_bytes);
        bytes
    }

    /// Appends the fields; `put` appends bytes after their length.
    fn write(&self, into: &mut Vec<u8>, put: &mut dyn FnMut(&mut Vec<u8>, &[u8])) {
        for Field { number, content } in &self.0 {
            let kind = match content {
                Content::Varint(_) => 0,
                Content::Fixed(bytes) if bytes.len() == 8 => 1,
                Content::Fixed(_) => 5,
                _ => 2,
            };
            put_varint(into, number << 3 | kind);
            match content {
                Content::Varint(value) => put_varint(into, *value),
                Content::Fixed(bytes) => into.extend(bytes),
                Content::Bytes(bytes) => put(into, bytes),
                Content::Message(message) => {
                    let mut inner = Vec::new();
                    message.write(&mut inner, put);
                    put(into, &inner);
                }
            }
        }
    }
}

/// A message with a few changes, as bytes.
pub(super) fn mutate(message: &Message, other: &Message, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mutated = message.clone();
    for _ in 0..1 << rng.random_range(0..4) {
        change(&mut mutated, other, rng, 0);
    }
    let mut bytes = Vec::new();
    mutated.write(&mut bytes, &mut |into, bytes| {
        // Now and then a length that does not fit.
        if rng.random_range(0..2000) == 0 {
            put_varint(into, number(rng));
            into.extend(bytes);
        } else {
            put_bytes(into, bytes);
        }
    });
    bytes
}

fn change(message: &mut Message, other: &Message, rng: &mut ChaCha8Rng, depth: usize) {
    if message.0.is_empty() {
        message.0.extend(some_field(other, rng));
        return;
    }
    let at = rng.random_range(0..message.0.len());
    if depth < DEEPEST
        && rng.random_range(0..5) > 0
        && let Content::Message(inner) = &mut message.0[at].content
    {
        return change(inner, other, rng, depth + 1);
    }
    match rng.random_range(0..8) {
        0 => drop(message.0.remove(at)),
        1 => {
            let copy = message.0[at].clone();
            let times = if rng.random_range(0..20) == 0 { 300 } else { 1 };
            message.0.extend(std::iter::repeat_n(copy, times));
        }
        2 => {
            let to = rng.random_range(0..message.0.len());
            message.0.swap(at, to);
        }
        3 => message.0[at].number = rng.random_range(1..32),
        4 => message.0.extend(some_field(other, rng)),
        5 if depth > 0 => {
            let mut nested = message.clone();
            for _ in 0..rng.random_range(0..60) {
                nested =
                    Message(vec![Field { number: message.0[at].number, content: Content::Message(nested) }]);
            }
            *message = nested;
        }
        _ => match &mut message.0[at].content {
            Content::Varint(value) => *value = number(rng),
            Content::Fixed(bytes) => {
                let place = rng.random_range(0..bytes.len());
                bytes[place] = rng.random();
            }
            Content::Bytes(text) => *text = bytes::mutate(text, b"\xff\x80\x00", rng),
            content => *content = Content::Varint(number(rng)),
        },
    }
}

/// A field of the message, or of one in it.
fn some_field(message: &Message, rng: &mut ChaCha8Rng) -> Option<Field> {
    let at = rng.random_range(0..message.0.len().max(1));
    let field = message.0.get(at)?;
    match &field.content {
        Content::Message(inner) if rng.random_range(0..3) > 0 => some_field(inner, rng),
        _ => Some(field.clone()),
    }
}

fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(into, bytes.len() as u64);
    into.extend(bytes);
}

fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
