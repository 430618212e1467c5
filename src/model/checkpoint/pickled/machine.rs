//! The machine that a pickle is a program for, with the few instructions and names that torch needs to write a dictionary of
//! tensors. Everything else is refused by its name; nothing is called.
//!
//! Source: `Lib/pickletools.py` of Python for the instructions, `torch/_utils.py` for how tensors are rebuilt.

use std::{collections::BTreeMap, rc::Rc};

use super::value::{Known, Tensor, Value, known};

/// More values than the pickle of a model has; each takes memory.
const MOST_VALUES: usize = 1 << 20;

/// The tensors of the dictionary that a pickle makes, sorted by name; else what was found.
pub(super) fn tensors(pickle: &[u8]) -> Result<BTreeMap<Rc<str>, Tensor>, String> {
    let mut machine = Machine { left: pickle, values: Vec::new(), stack: Vec::new(), memo: BTreeMap::new() };
    while machine.step()? {}
    let top = machine.pop()?;
    let Value::Dictionary(pairs) = machine.value(top) else { return Err("another value".into()) };
    let mut tensors = BTreeMap::new();
    for (name, value) in pairs {
        match (machine.value(*name), machine.value(*value)) {
            (Value::Text(name), Value::Tensor(tensor)) => {
                if tensors.insert(name.clone(), tensor.clone()).is_some() {
                    return Err(format!("the tensor {name:?} twice"));
                }
            }
            (Value::Text(name), _) => return Err(format!("{name:?}, which is no tensor")),
            _ => return Err("a tensor without a name".into()),
        }
    }
    Ok(tensors)
}

struct Machine<'a> {
    /// Instructions that were not read yet.
    left: &'a [u8],
    values: Vec<Value>,
    /// Places among `values`.
    stack: Vec<usize>,
    memo: BTreeMap<u32, usize>,
}

impl<'a> Machine<'a> {
    /// Does one instruction; false where it was the last.
    fn step(&mut self) -> Result<bool, String> {
        let code = self.bytes(1)?[0];
        match code {
            0x80 => drop(self.bytes(1)?),
            0x95 => drop(self.bytes(8)?), // the length of a frame
            b'.' => return Ok(false),
            b'(' => self.push(Value::Mark)?,
            b'N' | 0x88 | 0x89 => self.push(Value::Nothing)?, // None, True, False: none decides a number
            b'G' => {
                self.bytes(8)?;
                self.push(Value::Nothing)?;
            }
            b'K' => {
                let number = self.bytes(1)?[0];
                self.push(Value::Whole(number.into()))?;
            }
            b'M' => {
                let number = u16::from_le_bytes(self.array()?);
                self.push(Value::Whole(number.into()))?;
            }
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.push(Value::Whole(number.into()))?;
            }
            0x8a => self.long()?,
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                self.text(length as usize)?;
            }
            0x8c => {
                let length = self.bytes(1)?[0];
                self.text(length.into())?;
            }
            b'}' => self.push(Value::Dictionary(Vec::new()))?,
            b')' => self.push(Value::Tuple(Vec::new()))?,
            b't' => {
                let items = self.above_mark()?;
                self.push(Value::Tuple(items))?;
            }
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let from = self.stack.len().checked_sub(count).ok_or_else(short)?;
                let items = self.stack.split_off(from);
                self.push(Value::Tuple(items))?;
            }
            b'q' => {
                let index = self.bytes(1)?[0];
                self.remember(index.into())?;
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                self.remember(index)?;
            }
            0x94 => self.remember(self.memo.len() as u32)?, // fewer than values
            b'h' => {
                let index = self.bytes(1)?[0];
                self.recall(index.into())?;
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Name(known(module, name)?))?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) = (self.value(module), self.value(name)) else {
                    return Err("a name that is no text".into());
                };
                let found = known(module, name)?;
                self.push(Value::Name(found))?;
            }
            b'Q' => self.storage()?,
            b'R' => self.rebuild()?,
            b's' => {
                let (value, name) = (self.pop()?, self.pop()?);
                self.set(vec![name, value])?;
            }
            b'u' => {
                let items = self.above_mark()?;
                self.set(items)?;
            }
            // The attributes of a dictionary, such as the versions of modules.
            b'b' => {
                self.pop()?;
                let top = *self.stack.last().ok_or_else(short)?;
                if !matches!(self.value(top), Value::Dictionary(_)) {
                    return Err("attributes of what is no dictionary".into());
                }
            }
            _ => return Err(format!("the instruction 0x{code:02x}, which no tensor needs")),
        }
        Ok(true)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (bytes, left) = self.left.split_at_checked(count).ok_or_else(|| "a cut pickle".to_string())?;
        self.left = left;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (array, left) = self.left.split_first_chunk().ok_or_else(|| "a cut pickle".to_string())?;
        self.left = left;
        Ok(*array)
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end =
            self.left.iter().position(|byte| *byte == b'\n').ok_or_else(|| "a cut pickle".to_string())?;
        let line = self.bytes(end + 1)?;
        str::from_utf8(&line[..end]).map_err(|_| "a name that is no text".to_string())
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        let text = str::from_utf8(self.bytes(length)?).map_err(|_| "text that is none".to_string())?;
        self.push(Value::Text(text.into()))
    }

    /// A number of at most eight bytes, the lowest first.
    fn long(&mut self) -> Result<(), String> {
        let length = self.bytes(1)?[0];
        let bytes = self.bytes(length.into())?;
        if bytes.len() > 8 {
            return Err("a number of more than eight bytes".into());
        }
        let mut all = [if bytes.last().is_some_and(|byte| *byte > 127) { 255 } else { 0 }; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        self.push(Value::Whole(i64::from_le_bytes(all)))
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        if self.values.len() == MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<usize, String> {
        self.stack.pop().ok_or_else(short)
    }

    fn value(&self, at: usize) -> &Value {
        &self.values[at] // only places of values are on the stack
    }

    /// What lies above the last mark, which goes too.
    fn above_mark(&mut self) -> Result<Vec<usize>, String> {
        let mark = self.stack.iter().rposition(|at| matches!(self.values[*at], Value::Mark));
        let items = self.stack.split_off(mark.ok_or_else(short)? + 1);
        self.stack.pop();
        Ok(items)
    }

    fn remember(&mut self, index: u32) -> Result<(), String> {
        let top = *self.stack.last().ok_or_else(short)?;
        self.memo.insert(index, top);
        if self.memo.len() > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values to be kept"));
        }
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Result<(), String> {
        let value = *self.memo.get(&index).ok_or_else(|| format!("value {index}, which was not kept"))?;
        if self.stack.len() > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values at once"));
        }
        self.stack.push(value);
        Ok(())
    }

    /// Adds names and values, in turn, to the dictionary below them.
    fn set(&mut self, items: Vec<usize>) -> Result<(), String> {
        let at = *self.stack.last().ok_or_else(short)?;
        let (pairs, rest) = items.as_chunks::<2>();
        let Value::Dictionary(known) = &mut self.values[at] else {
            return Err("entries of what is no dictionary".into());
        };
        if !rest.is_empty() {
            return Err("a name without a value".into());
        }
        known.extend(pairs.iter().map(|[name, value]| (*name, *value)));
        Ok(())
    }

    /// `("storage", class, key, location, elements)`.
    fn storage(&mut self) -> Result<(), String> {
        let top = self.pop()?;
        let items = self.tuple(top)?;
        let found: Vec<&Value> = items.iter().map(|item| self.value(*item)).collect();
        let storage = match found[..] {
            [Value::Text(kind), Value::Name(Known::Storage(dtype)), Value::Text(key), ..]
                if **kind == *"storage" =>
            {
                Value::Storage { dtype: *dtype, key: key.clone() }
            }
            _ => return Err("something outside that is no storage".into()),
        };
        self.push(storage)
    }

    fn tuple(&self, at: usize) -> Result<&[usize], String> {
        match self.value(at) {
            Value::Tuple(items) => Ok(items),
            _ => Err("another value where several are needed".into()),
        }
    }

    fn sizes(&self, at: usize) -> Result<Vec<usize>, String> {
        let whole = |item: &usize| match self.value(*item) {
            Value::Whole(number) => usize::try_from(*number).map_err(|_| format!("a size of {number}")),
            _ => Err("a size that is no number".to_string()),
        };
        let items = self.tuple(at)?;
        if items.len() > MOST_SIDES {
            return Err(format!("a tensor of {} sides", items.len()));
        }
        items.iter().map(whole).collect()
    }

    fn rebuild(&mut self) -> Result<(), String> {
        let (arguments, called) = (self.pop()?, self.pop()?);
        let items = self.tuple(arguments)?;
        let rebuilt = match (self.value(called), items) {
            (Value::Name(Known::OrderedDict), []) => Value::Dictionary(Vec::new()),
            (Value::Name(Known::RebuildParameter), [tensor, ..]) => self.value(*tensor).clone(),
            (Value::Name(Known::RebuildTensor), [storage, offset, shape, strides, ..]) => {
                let (Value::Storage { dtype, key }, Value::Whole(offset)) =
                    (self.value(*storage), self.value(*offset))
                else {
                    return Err("a tensor without a storage".into());
                };
                let offset = usize::try_from(*offset).map_err(|_| format!("a tensor from {offset} on"))?;
                let (shape, strides) = (self.sizes(*shape)?, self.sizes(*strides)?);
                Value::Tensor(Tensor { dtype: *dtype, key: key.clone(), offset, shape, strides })
            }
            _ => return Err("arguments that rebuild no tensor".into()),
        };
        if !matches!(rebuilt, Value::Tensor(_) | Value::Dictionary(_)) || self.is_large(&rebuilt) {
            return Err("a parameter that is no tensor".into());
        }
        self.push(rebuilt)
    }

    /// Dictionaries are made empty: one that is copied could double at each step.
    fn is_large(&self, value: &Value) -> bool {
        matches!(value, Value::Dictionary(pairs) if !pairs.is_empty())
    }
}

/// More sides than a weight has.
const MOST_SIDES: usize = 8;

fn short() -> String {
    "an instruction without its values".to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(pickle: &[u8]) -> String {
        tensors(pickle).unwrap_err()
    }

    #[test]
    fn a_name_that_rebuilds_no_tensor_is_refused_by_it() {
        assert!(refusal(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.").contains("\"os.system\""));
        assert!(refusal(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.").contains("\"builtins.eval\""));
        assert!(refusal(b"\x80\x02i").contains("0x69"));
        assert!(refusal(b"\x80\x02]").contains("0x5d"));
    }

    #[test]
    fn pickles_that_are_cut_or_grow_are_refused() {
        for pickle in
            [&b""[..], b".", b"t.", b"h\x01.", b"(", b"X\xff\xff\xff\xff", b"}(Nu.", b"N.", b"q\x00", b"u"]
        {
            refusal(pickle);
        }
        let mut many = vec![b'N'; MOST_VALUES + 1];
        many.push(b'.');
        assert!(refusal(&many).contains("values"));
        let mut deep = vec![b')'];
        deep.extend(vec![0x85; 1 << 19]); // tuples in tuples
        deep.push(b'.');
        assert!(refusal(&deep).contains("another value"));
        // A dictionary in itself.
        assert!(refusal(b"}q\x00X\x01\x00\x00\x00ah\x00s.").contains("no tensor"));
    }

    #[test]
    fn many_tensors_of_one_long_name_share_it() {
        let key = "k".repeat(1 << 20);
        let mut pickle = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00X\x07\x00\x00\x00storage".to_vec();
        pickle.extend(b"ctorch\nFloatStorage\nX");
        pickle.extend((key.len() as u32).to_le_bytes());
        pickle.extend(key.as_bytes());
        pickle.extend(b"\x87Qq\x01(h\x01K\x00))tq\x02");
        // Five bytes each: copies of the name would come to 512 GiB.
        pickle.extend(b"h\x00h\x02R".repeat(1 << 19));
        pickle.extend(b"}X\x01\x00\x00\x00ah\x00h\x02RsX\x01\x00\x00\x00bh\x00h\x02Rs.");
        let found = tensors(&pickle).unwrap();
        assert!(Rc::ptr_eq(&found["a"].key, &found["b"].key));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut pickle = vec![b'N'];
        for index in 0..=MOST_VALUES as u32 {
            pickle.push(b'r');
            pickle.extend(index.to_le_bytes());
        }
        assert!(refusal(&pickle).contains("to be kept"));
    }
}
