//! One segment: the observations of many cells in one Parquet file, bit for bit.
//!
//! Long table, one row per (cell, layer, position), in that order. Columns: `cell` (index within the
//! segment), `layer` l (the stream entering block l; L = after the last block), `position`, `token_id`,
//! `resid`, `max_abs`, `attn_out` and `mlp_out` (null where l = L: no block follows), `final_norm` (only where
//! l = L), and on the last row of a cell `entropy_nats`, `top_1_id`, `top_1_prob` … `top_5_prob`.
//! Norms are float32 L2 norms over the width. Same cells, same bytes.

use std::{io::Cursor, ops::Range};

use ndarray::{Array1, Array2};
use polars::prelude::*;

use super::StoreError;
use crate::observation::{PromptObservation, TOP_K, TopToken};

/// Parquet bytes of the cells and the rows of each.
pub(super) fn encode(cells: &[(&str, &PromptObservation)]) -> Result<(Vec<u8>, Vec<Range<u64>>), StoreError> {
    let mut table = Columns::default();
    let mut rows = Vec::with_capacity(cells.len());
    for (index, (slot, observation)) in cells.iter().enumerate() {
        check(slot, observation)?;
        let start = table.layer.len() as u64;
        // A segment is held in memory: it cannot have 2^32 cells.
        table.push(index as u32, observation);
        rows.push(start..table.layer.len() as u64);
    }
    let mut frame = table.into_frame().map_err(parquet("new segment"))?;
    Ok((parquet_bytes(&mut frame).map_err(parquet("new segment"))?, rows))
}

/// A segment read back.
pub(super) struct Segment {
    columns: Columns,
}

impl Segment {
    /// `name` is for messages.
    pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Segment, StoreError> {
        let frame = ParquetReader::new(Cursor::new(bytes)).finish().map_err(parquet(name))?;
        Ok(Segment { columns: Columns::from_frame(&frame).map_err(parquet(name))? })
    }

    /// The observation in these rows; `None` if they do not hold exactly one.
    pub fn observation(&self, rows: &Range<u64>) -> Option<PromptObservation> {
        let rows = usize::try_from(rows.start).ok()?..usize::try_from(rows.end).ok()?;
        let c = &self.columns;
        let last = rows.end.checked_sub(1).filter(|_| rows.start < rows.end)?;
        let (blocks, tokens) = (*c.layer.get(last)? as usize, *c.position.get(last)? as usize + 1);
        if rows.len() != (blocks + 1) * tokens || c.layer[rows.start] != 0 || c.position[rows.start] != 0 {
            return None;
        }
        let writes = rows.start..rows.start + blocks * tokens;
        let all =
            |values: &[f32]| Array2::from_shape_vec((blocks + 1, tokens), values[rows.clone()].to_vec()).ok();
        let some = |values: &[Option<f32>]| {
            let values = values[writes.clone()].iter().copied().collect::<Option<Vec<f32>>>()?;
            Array2::from_shape_vec((blocks, tokens), values).ok()
        };
        let top =
            (0..TOP_K).map_while(|k| Some(TopToken { id: c.top_id[k][last]?, prob: c.top_prob[k][last]? }));
        Some(PromptObservation {
            token_ids: c.token_id[rows.start..rows.start + tokens].to_vec(),
            resid: all(&c.resid)?,
            max_abs: all(&c.max_abs)?,
            attn_out: some(&c.attn_out)?,
            mlp_out: some(&c.mlp_out)?,
            final_norm: Array1::from(
                c.final_norm[writes.end..rows.end].iter().copied().collect::<Option<Vec<f32>>>()?,
            ),
            entropy_nats: c.entropy_nats[last]?,
            top: top.collect(),
        })
    }
}

/// Parquet bytes of a table. No statistics: they cost space and nothing here filters by them.
pub(crate) fn parquet_bytes(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .finish(frame)?;
    Ok(bytes)
}

pub(super) fn parquet(what: &str) -> impl FnOnce(PolarsError) -> StoreError {
    let what = what.to_string();
    move |source| StoreError::Parquet { what, source }
}

/// The table, column by column.
#[derive(Default)]
struct Columns {
    cell: Vec<u32>,
    layer: Vec<u32>,
    position: Vec<u32>,
    token_id: Vec<u32>,
    resid: Vec<f32>,
    max_abs: Vec<f32>,
    attn_out: Vec<Option<f32>>,
    mlp_out: Vec<Option<f32>>,
    final_norm: Vec<Option<f32>>,
    entropy_nats: Vec<Option<f32>>,
    top_id: [Vec<Option<u32>>; TOP_K],
    top_prob: [Vec<Option<f32>>; TOP_K],
}

impl Columns {
    fn push(&mut self, cell: u32, o: &PromptObservation) {
        let (blocks, tokens) = (o.blocks(), o.tokens());
        for l in 0..=blocks {
            for t in 0..tokens {
                let last_layer = l == blocks;
                let last_row = last_layer && t + 1 == tokens;
                self.cell.push(cell);
                self.layer.push(l as u32);
                self.position.push(t as u32);
                self.token_id.push(o.token_ids[t]);
                self.resid.push(o.resid[[l, t]]);
                self.max_abs.push(o.max_abs[[l, t]]);
                self.attn_out.push((!last_layer).then(|| o.attn_out[[l, t]]));
                self.mlp_out.push((!last_layer).then(|| o.mlp_out[[l, t]]));
                self.final_norm.push(last_layer.then(|| o.final_norm[t]));
                self.entropy_nats.push(last_row.then_some(o.entropy_nats));
                for k in 0..TOP_K {
                    let top = o.top.get(k).filter(|_| last_row);
                    self.top_id[k].push(top.map(|t| t.id));
                    self.top_prob[k].push(top.map(|t| t.prob));
                }
            }
        }
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let height = self.layer.len();
        let mut columns = vec![
            Column::new("cell".into(), self.cell),
            Column::new("layer".into(), self.layer),
            Column::new("position".into(), self.position),
            Column::new("token_id".into(), self.token_id),
            Column::new("resid".into(), self.resid),
            Column::new("max_abs".into(), self.max_abs),
            Column::new("attn_out".into(), self.attn_out),
            Column::new("mlp_out".into(), self.mlp_out),
            Column::new("final_norm".into(), self.final_norm),
            Column::new("entropy_nats".into(), self.entropy_nats),
        ];
        for (k, (ids, probs)) in self.top_id.into_iter().zip(self.top_prob).enumerate() {
            columns.push(Column::new(top_name(k, "id").as_str().into(), ids));
            columns.push(Column::new(top_name(k, "prob").as_str().into(), probs));
        }
        DataFrame::new(height, columns)
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Columns> {
        let u32s = |name: &str| {
            PolarsResult::Ok(frame.column(name)?.u32()?.into_no_null_iter().collect::<Vec<u32>>())
        };
        let f32s = |name: &str| {
            PolarsResult::Ok(frame.column(name)?.f32()?.into_no_null_iter().collect::<Vec<f32>>())
        };
        let maybe =
            |name: &str| PolarsResult::Ok(frame.column(name)?.f32()?.iter().collect::<Vec<Option<f32>>>());
        let mut columns = Columns {
            cell: u32s("cell")?,
            layer: u32s("layer")?,
            position: u32s("position")?,
            token_id: u32s("token_id")?,
            resid: f32s("resid")?,
            max_abs: f32s("max_abs")?,
            attn_out: maybe("attn_out")?,
            mlp_out: maybe("mlp_out")?,
            final_norm: maybe("final_norm")?,
            entropy_nats: maybe("entropy_nats")?,
            ..Columns::default()
        };
        for k in 0..TOP_K {
            columns.top_id[k] = frame.column(&top_name(k, "id"))?.u32()?.iter().collect();
            columns.top_prob[k] = maybe(&top_name(k, "prob"))?;
        }
        Ok(columns)
    }
}

fn top_name(k: usize, what: &str) -> String {
    format!("top_{}_{what}", k + 1)
}

fn check(slot: &str, o: &PromptObservation) -> Result<(), StoreError> {
    let (blocks, tokens) = (o.blocks(), o.tokens());
    let found = [o.resid.dim(), o.max_abs.dim(), o.attn_out.dim(), o.mlp_out.dim(), (1, o.final_norm.len())];
    let expected =
        [(blocks + 1, tokens), (blocks + 1, tokens), (blocks, tokens), (blocks, tokens), (1, tokens)];
    let what = if tokens == 0 {
        "it has no tokens".to_string()
    } else if found != expected {
        format!(
            "expected the shapes {expected:?} of resid, max_abs, attn_out, mlp_out, final_norm, found {found:?}"
        )
    } else if o.top.len() > TOP_K {
        format!("at most {TOP_K} top tokens are kept, found {}", o.top.len())
    } else {
        return Ok(());
    };
    Err(StoreError::Shape { slot: slot.to_string(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(blocks: usize, tokens: usize, top: usize, shift: f32) -> PromptObservation {
        // Both zeros, the smallest and largest magnitudes, infinity: what a codec could lose.
        let hard = [0.0, -0.0, f32::MIN_POSITIVE, 1e-45, f32::MAX, f32::MIN, f32::INFINITY, 0.1];
        let mut n = 0usize;
        let mut next = || {
            n += 1;
            if n.is_multiple_of(3) { hard[n / 3 % hard.len()] } else { n as f32 / 7.0 + shift }
        };
        let mut array = |rows| Array2::from_shape_simple_fn((rows, tokens), &mut next);
        PromptObservation {
            token_ids: (0..tokens as u32).map(|t| t.wrapping_mul(0x9e37_79b9)).collect(),
            resid: array(blocks + 1),
            attn_out: array(blocks),
            mlp_out: array(blocks),
            max_abs: array(blocks + 1),
            final_norm: array(1).row(0).to_owned(),
            entropy_nats: -0.0 + shift,
            top: (0..top as u32).map(|id| TopToken { id, prob: 1.0 / (id + 3) as f32 }).collect(),
        }
    }

    fn bits(o: &PromptObservation) -> Vec<u32> {
        let all = o.resid.iter().chain(&o.attn_out).chain(&o.mlp_out).chain(&o.max_abs).chain(&o.final_norm);
        let top = o.top.iter().flat_map(|t| [t.id, t.prob.to_bits()]);
        all.map(|x| x.to_bits())
            .chain(o.token_ids.iter().copied())
            .chain([o.entropy_nats.to_bits()])
            .chain(top)
            .collect()
    }

    #[test]
    fn observations_read_back_bit_for_bit() {
        let cells = [
            observation(3, 5, 5, 0.0),
            observation(1, 1, 5, 1e-3),
            observation(4, 2, 0, 2.5),
            observation(2, 9, 3, -1.0),
        ];
        let named: Vec<_> = cells.iter().map(|o| ("cell", o)).collect();
        let (bytes, rows) = encode(&named).unwrap();
        let segment = Segment::decode("test", bytes).unwrap();
        for (cell, rows) in cells.iter().zip(&rows) {
            let back = segment.observation(rows).unwrap();
            assert_eq!(back.resid.dim(), cell.resid.dim());
            assert_eq!(bits(&back), bits(cell));
        }
        assert!(segment.observation(&(rows[0].start..rows[0].end - 1)).is_none());
        assert!(segment.observation(&(0..u64::MAX)).is_none());
    }

    #[test]
    fn the_same_cells_give_the_same_bytes() {
        let cell = observation(33, 400, 5, 0.0);
        let once = encode(&[("a", &cell)]).unwrap().0;
        assert_eq!(once, encode(&[("b", &cell)]).unwrap().0);
        assert_ne!(once, encode(&[("a", &observation(33, 400, 5, 0.5))]).unwrap().0);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused_by_name() {
        let mut cell = observation(2, 3, 5, 0.0);
        cell.attn_out = Array2::zeros((2, 4));
        let text = encode(&[("observe/m/p", &cell)]).unwrap_err().to_string();
        assert!(text.contains("observe/m/p") && text.contains("(2, 4)"), "{text}");
        assert!(encode(&[("x", &observation(2, 0, 5, 0.0))]).is_err());
    }
}
