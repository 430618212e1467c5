//! One segment: the observations of many cells in one Parquet file, bit for bit.
//!
//! Long table, one row per (cell, layer, position), in that order. Columns: `cell` (index within the
//! segment), `layer` l (the stream entering block l; L = after the last block), `position`, `token_id`, `resid`,
//! `max_abs`; null where l = L, since no block follows: the tables of [`PromptObservation::by_block`] by their names; at the
//! last position `attn_off_diagonal` (a list with a number for each head, null where l = L) and `lens_entropy_nats`; where
//! l = L `final_norm`; on the last row of a cell `entropy_nats`, `logit_shift`, `loss_nats`, `top_1_id`, `top_1_prob` …
//! `top_5_prob`. What was not observed is null. Norms are float32 L2 norms over the width. Same cells, same bytes.

use std::{io::Cursor, ops::Range};

use ndarray::{Array1, Array2};
use polars::prelude::*;

use super::StoreError;
use number::observation::{BY_BLOCK, PromptObservation, TOP_K, TopToken};
use results::parquet::parquet_bytes;

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
    pub(super) fn decode(name: &str, bytes: Vec<u8>) -> Result<Segment, StoreError> {
        let frame = ParquetReader::new(Cursor::new(bytes)).finish().map_err(parquet(name))?;
        Ok(Segment { columns: Columns::from_frame(&frame).map_err(parquet(name))? })
    }

    /// The observation in these rows; `None` if they do not hold exactly one.
    pub(super) fn observation(&self, rows: &Range<u64>) -> Option<PromptObservation> {
        let rows = usize::try_from(rows.start).ok()?..usize::try_from(rows.end).ok()?;
        let c = &self.columns;
        let last = rows.end.checked_sub(1).filter(|_| rows.start < rows.end)?;
        let (blocks, tokens) = (*c.layer.get(last)? as usize, *c.position.get(last)? as usize + 1);
        if rows.len() != (blocks + 1) * tokens || c.layer[rows.start] != 0 || c.position[rows.start] != 0 {
            return None;
        }
        let blocks_rows = rows.start..rows.start + blocks * tokens;
        let all =
            |values: &[f32]| Array2::from_shape_vec((blocks + 1, tokens), values[rows.clone()].to_vec()).ok();
        let mut by_block = c.by_block.iter().map(|values| {
            let values = values[blocks_rows.clone()].iter().copied().collect::<Option<Vec<f32>>>()?;
            Array2::from_shape_vec((blocks, tokens), values).ok()
        });
        let mut next = || by_block.next().flatten();
        // Rows at the last position.
        let ends = || (1..=blocks + 1).map(|layers| rows.start + layers * tokens - 1);
        let heads = c.off_diagonal[rows.start + tokens - 1].as_ref().map_or(0, Vec::len);
        let off_diagonal = ends().take(blocks).map(|row| c.off_diagonal[row].clone());
        let off_diagonal = off_diagonal.collect::<Option<Vec<Vec<f32>>>>()?.concat();
        let lens = ends().map(|row| c.lens_entropy_nats[row]).collect::<Option<Vec<f32>>>();
        let top =
            (0..TOP_K).map_while(|k| Some(TopToken { id: c.top_id[k][last]?, prob: c.top_prob[k][last]? }));
        Some(PromptObservation {
            token_ids: c.token_id[rows.start..rows.start + tokens].to_vec(),
            resid: all(&c.resid)?,
            max_abs: all(&c.max_abs)?,
            attn_out: next()?,
            mlp_out: next()?,
            attn_module_in: next()?,
            attn_module_out: next()?,
            mlp_module_in: next()?,
            mlp_module_out: next()?,
            write: next()?,
            write_cosine: next()?,
            attn_off_diagonal: Array2::from_shape_vec((blocks, heads), off_diagonal).ok()?,
            final_norm: Array1::from(
                c.final_norm[blocks_rows.end..rows.end].iter().copied().collect::<Option<Vec<f32>>>()?,
            ),
            entropy_nats: c.entropy_nats[last]?,
            logit_shift: c.logit_shift[last],
            top: top.collect(),
            loss_nats: c.loss_nats[last],
            lens_entropy_nats: lens.map(Array1::from),
        })
    }
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
    /// In the order of [`PromptObservation::by_block`].
    by_block: [Vec<Option<f32>>; BY_BLOCK.len()],
    off_diagonal: Vec<Option<Vec<f32>>>,
    lens_entropy_nats: Vec<Option<f32>>,
    final_norm: Vec<Option<f32>>,
    entropy_nats: Vec<Option<f32>>,
    logit_shift: Vec<Option<f32>>,
    loss_nats: Vec<Option<f32>>,
    top_id: [Vec<Option<u32>>; TOP_K],
    top_prob: [Vec<Option<f32>>; TOP_K],
}

impl Columns {
    fn push(&mut self, cell: u32, o: &PromptObservation) {
        let (blocks, tokens) = (o.blocks(), o.tokens());
        for l in 0..=blocks {
            for t in 0..tokens {
                let (last_layer, last_position) = (l == blocks, t + 1 == tokens);
                let last_row = last_layer && last_position;
                self.cell.push(cell);
                self.layer.push(l as u32);
                self.position.push(t as u32);
                self.token_id.push(o.token_ids[t]);
                self.resid.push(o.resid[[l, t]]);
                self.max_abs.push(o.max_abs[[l, t]]);
                for (column, (_, table)) in self.by_block.iter_mut().zip(o.by_block()) {
                    column.push((!last_layer).then(|| table[[l, t]]));
                }
                let of_heads = !last_layer && last_position;
                self.off_diagonal.push(of_heads.then(|| o.attn_off_diagonal.row(l).to_vec()));
                let lens = o.lens_entropy_nats.as_ref().filter(|_| last_position);
                self.lens_entropy_nats.push(lens.map(|lens| lens[l]));
                self.final_norm.push(last_layer.then(|| o.final_norm[t]));
                self.entropy_nats.push(last_row.then_some(o.entropy_nats));
                self.logit_shift.push(o.logit_shift.filter(|_| last_row));
                self.loss_nats.push(o.loss_nats.filter(|_| last_row));
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
        ];
        columns.extend(
            BY_BLOCK.iter().zip(self.by_block).map(|(name, values)| Column::new((*name).into(), values)),
        );
        columns.extend([
            lists("attn_off_diagonal", self.off_diagonal.iter().map(Option::as_deref)),
            Column::new("lens_entropy_nats".into(), self.lens_entropy_nats),
            Column::new("final_norm".into(), self.final_norm),
            Column::new("entropy_nats".into(), self.entropy_nats),
            Column::new("logit_shift".into(), self.logit_shift),
            Column::new("loss_nats".into(), self.loss_nats),
        ]);
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
            off_diagonal: of_lists(frame.column("attn_off_diagonal")?)?,
            lens_entropy_nats: maybe("lens_entropy_nats")?,
            final_norm: maybe("final_norm")?,
            entropy_nats: maybe("entropy_nats")?,
            logit_shift: maybe("logit_shift")?,
            loss_nats: maybe("loss_nats")?,
            ..Columns::default()
        };
        for (column, name) in columns.by_block.iter_mut().zip(BY_BLOCK) {
            *column = maybe(name)?;
        }
        for k in 0..TOP_K {
            columns.top_id[k] = frame.column(&top_name(k, "id"))?.u32()?.iter().collect();
            columns.top_prob[k] = maybe(&top_name(k, "prob"))?;
        }
        Ok(columns)
    }
}

/// A column of lists of float32.
fn lists<'a>(name: &str, values: impl ExactSizeIterator<Item = Option<&'a [f32]>>) -> Column {
    let mut builder =
        ListPrimitiveChunkedBuilder::<Float32Type>::new(name.into(), values.len(), 0, DataType::Float32);
    for list in values {
        match list {
            Some(list) => builder.append_slice(list),
            None => builder.append_null(),
        }
    }
    builder.finish().into_column()
}

fn of_lists(column: &Column) -> PolarsResult<Vec<Option<Vec<f32>>>> {
    let lists = column.list()?;
    let list = |series: Series| Ok(series.f32()?.into_no_null_iter().collect());
    (0..lists.len()).map(|row| lists.get_as_series(row).map(list).transpose()).collect()
}

fn top_name(k: usize, what: &str) -> String {
    format!("top_{}_{what}", k + 1)
}

fn check(slot: &str, o: &PromptObservation) -> Result<(), StoreError> {
    let (blocks, tokens) = (o.blocks(), o.tokens());
    let lens = o.lens_entropy_nats.as_ref().map_or(blocks + 1, Array1::len);
    let shapes = [
        ("resid", o.resid.dim(), (blocks + 1, tokens)),
        ("max_abs", o.max_abs.dim(), (blocks + 1, tokens)),
        ("attn_off_diagonal", o.attn_off_diagonal.dim(), (blocks, o.attn_off_diagonal.ncols())),
        ("final_norm", (1, o.final_norm.len()), (1, tokens)),
        ("lens_entropy_nats", (1, lens), (1, blocks + 1)),
    ];
    let by_block = o.by_block().map(|(name, table)| (name, table.dim(), (blocks, tokens)));
    let wrong = shapes.iter().chain(&by_block).find(|(_, found, expected)| found != expected);
    let what = if tokens == 0 {
        "it has no tokens".to_string()
    } else if let Some((name, found, expected)) = wrong {
        format!("expected the shape {expected:?} of {name}, found {found:?}")
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
            attn_module_in: array(blocks),
            attn_module_out: array(blocks),
            mlp_module_in: array(blocks),
            mlp_module_out: array(blocks),
            write: array(blocks),
            write_cosine: array(blocks),
            max_abs: array(blocks + 1),
            attn_off_diagonal: array(blocks).slice_move(ndarray::s![.., ..tokens.min(top)]), // none where top is 0
            final_norm: array(1).row(0).to_owned(),
            entropy_nats: -0.0 + shift,
            logit_shift: (top > 0).then_some(0.5 + shift),
            top: (0..top as u32).map(|id| TopToken { id, prob: 1.0 / (id + 3) as f32 }).collect(),
            loss_nats: (top == 5).then_some(-0.0),
            lens_entropy_nats: (top == 5).then(|| Array1::from_elem(blocks + 1, shift / 3.0)),
        }
    }

    fn bits(o: &PromptObservation) -> Vec<u32> {
        let all = o.resid.iter().chain(&o.max_abs).chain(&o.attn_off_diagonal).chain(&o.final_norm);
        let all = all.chain(o.by_block().into_iter().flat_map(|(_, table)| table));
        let all = all.chain(o.lens_entropy_nats.iter().flatten());
        let all = all.chain(o.logit_shift.iter()).chain(o.loss_nats.iter());
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
            assert_eq!(back.attn_off_diagonal.dim(), cell.attn_off_diagonal.dim());
            assert_eq!(back.loss_nats.is_some(), cell.loss_nats.is_some());
            assert_eq!(back.lens_entropy_nats.is_some(), cell.lens_entropy_nats.is_some());
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
        assert!(text.contains("observe/m/p") && text.contains("attn_out, found (2, 4)"), "{text}");
        cell.attn_out = Array2::zeros((2, 3));
        cell.lens_entropy_nats = Some(Array1::zeros(2));
        let text = encode(&[("x", &cell)]).unwrap_err().to_string();
        assert!(text.contains("lens_entropy_nats"), "{text}");
        assert!(encode(&[("x", &observation(2, 0, 5, 0.0))]).is_err());
    }
}
