//! compressed-tensors: whole numbers packed in words (`pack-quantized`) or bytes (`int-quantized`, `naive-quantized`), or floats
//! of 8 bits (`float-quantized`, `mxfp8-quantized`), with scales for the whole, rows, groups of columns or blocks, and zero points;
//! floats of 4 and 6 bits (`nvfp4-pack-quantized`, `mxfp4-pack-quantized`, `mxfp6-pack-quantized`).
//!
//! `weight_packed` with `weight_shape`, or `weight`; `weight_scale`, `weight_zero_point`, `weight_g_idx` (the group of each
//! column), `weight_global_scale` (of nvfp4). Reference: `decompress` of the package's compressors (0.20), in float32;
//! `weight_g_idx` as the versions before 0.14 read it, which later ones do not.

use safetensors::Dtype;
use serde_json::{Map, Value};

use super::{
    super::error::CheckpointError,
    bits, fp8,
    grid::Grid,
    number::{Number, SCALES},
    plan::{Plan, Weight},
    rows::{Rows, Scheme},
    small_floats::{Stored, Whole},
    source::Source,
};

const SCALE: &str = ".weight_scale";
const ZERO: &str = ".weight_zero_point";
const UNREAD: [&str; 7] = [
    ".input_scale",
    ".input_global_scale",
    ".input_zero_point",
    ".output_scale",
    ".k_scale",
    ".v_scale",
    ".q_scale",
];
const FORMATS: [&str; 9] = [
    "pack-quantized",
    "int-quantized",
    "float-quantized",
    "naive-quantized",
    "nvfp4-pack-quantized",
    "mxfp4-pack-quantized",
    "mxfp6-pack-quantized",
    "mxfp8-quantized",
    "dense",
];
/// Of a config whose groups have one each.
const MIXED: &str = "mixed-precision";

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    let groups = source.config.get("config_groups").and_then(Value::as_object);
    let groups: Vec<&Map<String, Value>> =
        groups.into_iter().flat_map(|groups| groups.values()).filter_map(Value::as_object).collect();
    refuse_other_formats(source, &groups)?;
    let arguments: Vec<&Value> = groups.iter().filter_map(|group| group.get("weights")).collect();
    let mut plan = Plan::default();
    for (module, scale) in source.modules(SCALE) {
        let module = Module { source, name: module, scale, arguments: &arguments };
        plan.weights.push(module.weight()?);
    }
    plan.unread = UNREAD.iter().flat_map(|ending| source.modules(ending)).map(|(_, index)| index).collect();
    Ok(plan)
}

fn refuse_other_formats(source: &Source<'_>, groups: &[&Map<String, Value>]) -> Result<(), CheckpointError> {
    for object in [source.config].into_iter().chain(groups.iter().copied()) {
        let Some(found) = object.get("format").filter(|found| !found.is_null()) else { continue };
        if !found.as_str().is_some_and(|format| format == MIXED || FORMATS.contains(&format)) {
            return Err(source.refuse_key("format", &FORMATS.join(" or "), found));
        }
    }
    for key in ["sparsity_config", "transform_config"] {
        let is_nothing = |found: &Value| {
            found.is_null()
                || found.get("format").and_then(Value::as_str) == Some("dense")
                || found.as_object().is_some_and(Map::is_empty)
        };
        if let Some(found) = source.config.get(key).filter(|found| !is_nothing(found)) {
            return Err(source.refuse_key(key, "none", found));
        }
    }
    Ok(())
}

/// A module with scales.
struct Module<'a> {
    source: &'a Source<'a>,
    name: &'a str,
    scale: usize,
    /// What each group of the config says of its weights.
    arguments: &'a [&'a Value],
}

impl Module<'_> {
    fn weight(&self) -> Result<Weight, CheckpointError> {
        let Module { source, name, scale, .. } = *self;
        if let Some(packed) = source.part(name, ".weight_packed") {
            return if source.dtype(packed) == Some(Dtype::U8) {
                self.floats(packed)
            } else {
                self.packed(packed)
            };
        }
        let elements = source.need(scale, name, ".weight")?;
        if source.dtype(elements) != Some(Dtype::I8) {
            return fp8::weight(source, name, [elements, scale], self.block());
        }
        let shape = source.matrix(elements, &[Dtype::I8])?;
        self.integers(elements, shape, None)
    }

    /// Floats of a few bits.
    fn floats(&self, elements: usize) -> Result<Weight, CheckpointError> {
        let Module { source, name, scale: scales, .. } = *self;
        let (name, whole) = (format!("{name}.weight"), source.part(name, ".weight_global_scale"));
        let whole = whole.map(|whole| (Whole::Divides, whole));
        Stored { name, elements, scales, whole, bits: &self.bits()? }.weight(source)
    }

    fn packed(&self, packed: usize) -> Result<Weight, CheckpointError> {
        let source = self.source;
        let [rows, words] = source.matrix(packed, &[Dtype::I32])?;
        let shape = self.shape(packed)?;
        source.sized(packed, shape)?;
        let fits =
            |bits: &u32| shape[1].checked_mul(*bits as usize).is_some_and(|all| all.div_ceil(32) == words);
        let bits = self.bits()?;
        match bits.iter().copied().find(fits) {
            Some(bits) if rows == shape[0] => self.integers(packed, shape, Some(Words { bits, words })),
            _ => {
                let expected = format!("numbers of {bits:?} bits end to end, of a weight of shape {shape:?}");
                Err(source.refuse_tensor(packed, expected, format!("shape {:?}", source.shape(packed))))
            }
        }
    }

    /// The sides that `weight_shape` holds.
    fn shape(&self, packed: usize) -> Result<[usize; 2], CheckpointError> {
        let source = self.source;
        let index = source.need(packed, self.name, ".weight_shape")?;
        source.shaped(index, &[&[2]])?;
        let bytes = source.bytes(index);
        let side = |at: usize| match source.dtype(index) {
            Some(Dtype::I64) => {
                let (low, high) = (bits::word(bytes, 2 * at), bits::word(bytes, 2 * at + 1));
                (high == 0).then_some(low as usize)
            }
            Some(Dtype::I32) => Some(bits::word(bytes, at) as usize),
            _ => None,
        };
        match [side(0), side(1)] {
            [Some(rows), Some(columns)] => Ok([rows, columns]),
            _ => Err(source.refuse_tensor(index, "two sides as whole numbers".into(), "others".into())),
        }
    }

    /// The bits of an element that the config speaks of.
    fn bits(&self) -> Result<Vec<u32>, CheckpointError> {
        const KEY: &str = "num_bits";
        let mut all = Vec::new();
        for found in self.arguments.iter().filter_map(|arguments| arguments.get(KEY)) {
            match found.as_u64() {
                Some(bits @ 1..=8) => all.push(bits as u32),
                _ => return Err(self.source.refuse_key(KEY, "1 to 8", found)),
            }
        }
        Ok(all)
    }

    /// Sides of the blocks that have a scale each.
    fn block(&self) -> Option<[usize; 2]> {
        let sides =
            self.arguments.iter().find_map(|arguments| arguments.get("block_structure")?.as_array())?;
        let side = |index: usize| {
            let side = sides.get(index).and_then(Value::as_u64).and_then(|side| usize::try_from(side).ok());
            side.filter(|side| *side > 0)
        };
        Some([side(0)?, side(1)?])
    }

    /// Whole numbers, in words or one a byte.
    fn integers(
        &self,
        elements: usize,
        shape: [usize; 2],
        words: Option<Words>,
    ) -> Result<Weight, CheckpointError> {
        let Module { source, name, scale, .. } = *self;
        let block = if words.is_some() { None } else { self.block() };
        let number = Number::of(source.stored_as(scale, SCALES)?).unwrap_or(Number::F32);
        let scales = Grid::of(source, scale, number, shape, block)?;
        let bits = words.as_ref().map_or(8, |words| words.bits);
        let mut parts = vec![elements, scale];
        let mut zeros = None;
        if let Some(zero) = source.part(name, ZERO) {
            zeros = Some((parts.len(), self.zeros(zero, shape, scales, block, bits)?));
            parts.push(zero);
        }
        let mut groups = None;
        if let Some(g_idx) = source.part(name, ".weight_g_idx") {
            groups = self.is_in_groups(g_idx, shape[1], scales.across)?.then_some(parts.len());
            parts.push(g_idx);
        }
        parts.extend(source.part(name, ".weight_shape"));
        Ok(Weight {
            name: format!("{name}.weight"),
            scheme: Scheme::of_bits("int", bits),
            shape: source.sized(elements, shape)?,
            parts,
            rows: Box::new(Integers { columns: shape[1], words, scales, zeros, groups }),
        })
    }

    fn zeros(
        &self,
        zero: usize,
        shape: [usize; 2],
        scales: Grid,
        block: Option<[usize; 2]>,
        bits: u32,
    ) -> Result<Zeros, CheckpointError> {
        let source = self.source;
        if source.stored_as(zero, &[Dtype::I8, Dtype::I32])? == Dtype::I32 {
            let down = shape[0].div_ceil(scales.rows);
            source.shaped(zero, &[&[(down * bits as usize).div_ceil(32), scales.across]])?;
            return Ok(Zeros::Words(bits));
        }
        let found = Grid::of(source, zero, Number::I8, shape, block)?;
        if [found.rows, found.columns, found.across] != [scales.rows, scales.columns, scales.across] {
            let found = format!("shape {:?}", source.shape(zero));
            return Err(source.refuse_tensor(zero, "a zero point for each scale".into(), found));
        }
        Ok(Zeros::Bytes)
    }

    /// Whether columns have the groups that are said of each; minus ones say that they have their usual ones.
    fn is_in_groups(&self, g_idx: usize, columns: usize, groups: usize) -> Result<bool, CheckpointError> {
        let source = self.source;
        source.stored_as(g_idx, &[Dtype::I32])?;
        source.shaped(g_idx, &[&[columns]])?;
        let index = |column| bits::word(source.bytes(g_idx), column);
        if (0..columns).any(|column| index(column) == u32::MAX) {
            return Ok(false);
        }
        match (0..columns).map(index).find(|group| *group as usize >= groups) {
            None => Ok(true),
            Some(found) => {
                let expected = format!("groups below {groups}, as there are scales");
                Err(source.refuse_tensor(g_idx, expected, (found as i32).to_string()))
            }
        }
    }
}

/// Numbers end to end in the words of a row.
#[derive(Clone, Copy, Debug)]
struct Words {
    bits: u32,
    /// Of a row.
    words: usize,
}

/// How zero points lie.
#[derive(Clone, Copy, Debug)]
enum Zeros {
    Bytes,
    /// Numbers of so many bits, end to end down a column.
    Words(u32),
}

struct Integers {
    columns: usize,
    /// None: one a byte.
    words: Option<Words>,
    scales: Grid,
    /// The part with zero points, and how they lie.
    zeros: Option<(usize, Zeros)>,
    /// The part with the group of each column.
    groups: Option<usize>,
}

impl Integers {
    fn zero(&self, parts: &[&[u8]], row: usize, group: usize) -> i32 {
        let Some((part, zeros)) = self.zeros else { return 0 };
        match zeros {
            Zeros::Bytes => i32::from(parts[part][row / self.scales.rows * self.scales.across + group] as i8),
            Zeros::Words(bits) => {
                let bit = row / self.scales.rows * bits as usize;
                signed(bits::down(parts[part], group, self.scales.across, bit, bits), bits)
            }
        }
    }
}

/// Packed numbers are counted from the lowest there is.
fn signed(number: u32, bits: u32) -> i32 {
    number as i32 - (1 << (bits - 1))
}

impl Rows for Integers {
    #[inline(always)]
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        let elements = parts[0];
        for (row, out) in (first..).zip(out.chunks_mut(self.columns)) {
            let known: Vec<(f32, i32)> = (0..self.scales.across)
                .map(|group| (self.scales.at(parts[1], row, group), self.zero(parts, row, group)))
                .collect();
            let line = &elements[row * self.words.map_or(self.columns, |words| 4 * words.words)..];
            // Of some columns, their numbers under one scale and zero point.
            let run = |column: usize, (scale, zero): (f32, i32), out: &mut [f32]| match self.words {
                None => bits::run(line, column, 8, out, |byte| (i32::from(byte as i8) - zero) as f32 * scale),
                Some(Words { bits, .. }) => {
                    bits::run(line, column, bits, out, |number| (signed(number, bits) - zero) as f32 * scale)
                }
            };
            match self.groups {
                None => {
                    let groups = out.chunks_mut(self.scales.columns).zip(&known).enumerate();
                    groups.for_each(|(group, (out, known))| run(group * self.scales.columns, *known, out));
                }
                Some(part) => {
                    for (column, out) in out.chunks_mut(1).enumerate() {
                        run(column, known[bits::word(parts[part], column) as usize], out);
                    }
                }
            }
        }
    }

    fn says(&self) -> String {
        let Integers { words, scales, zeros, groups, .. } = self;
        format!("integers {words:?} by {scales:?}, zero points {zeros:?}, groups {groups:?}")
    }
}
