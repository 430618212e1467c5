//! One segment: the observations of many cells in one Parquet file, bit for bit.
//!
//! Long table, one row per (cell, layer, position), in that order. Columns: `cell` (index within the
//! segment), `layer` l (the stream entering block l; L = after the last block), `position`, `token_id`; every tap by its name,
//! see [`place`] for the rows that hold its values (of heads a list with a number for each); on the last row of a cell
//! `top_1_id`, `top_1_prob` … `top_5_prob`. What was not observed is null; a tap that not every model has has no column where
//! no cell shows it. Same cells, same bytes.

use std::ops::Range;

use ndarray::Array2;
use polars::prelude::*;

use super::StoreError;
use number::observation::{Axes, NamedTap, PromptObservation, TOP_K, TopToken, branches_of, named};
use results::parquet::{parquet_bytes, parquet_frame};

/// Parquet bytes of the cells and the rows of each.
pub(super) fn encode(cells: &[(&str, &PromptObservation)]) -> Result<(Vec<u8>, Vec<Range<u64>>), StoreError> {
    let mut table = Columns::of(&cells.iter().map(|(_, observation)| *observation).collect::<Vec<_>>());
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
        let frame = parquet_frame(bytes).map_err(parquet(name))?;
        Ok(Segment { columns: Columns::from_frame(&frame).map_err(parquet(name))? })
    }

    /// The observation in these rows; `None` if they do not hold exactly one.
    pub(super) fn observation(&self, rows: &Range<u64>) -> Option<PromptObservation> {
        let rows = usize::try_from(rows.start).ok()?..usize::try_from(rows.end).ok()?;
        let c = &self.columns;
        let last = rows.end.checked_sub(1).filter(|_| rows.start < rows.end)?;
        let (blocks, tokens) = (*c.layer.get(last)? as usize, *c.position.get(last)? as usize + 1);
        if (blocks + 1).checked_mul(tokens) != Some(rows.len())
            || c.layer[rows.start] != 0
            || c.position[rows.start] != 0
        {
            return None;
        }
        let seen = c.taps.iter().filter(|(_, values)| values.are_in(&rows));
        let mut branches: Vec<&str> = Vec::new();
        for branch in seen.clone().filter_map(|(tap, _)| tap.branch.as_deref()) {
            if !branches.contains(&branch) {
                branches.push(branch);
            }
        }
        let mut found =
            PromptObservation::new(c.token_id[rows.start..rows.start + tokens].to_vec(), branches);
        for (tap, values) in seen {
            found.put(&tap.name, values.table(tap.tap.axes, &rows, [blocks, tokens]));
        }
        let top =
            (0..TOP_K).map_while(|k| Some(TopToken { id: c.top_id[k][last]?, prob: c.top_prob[k][last]? }));
        found.top = top.collect();
        found.has("resid").then_some(found)
    }
}

/// Where the row of layer l and position t holds a value of a tap: its row and column in the tap's table. Of heads and experts
/// the whole row lies in one cell, of choices those of the token.
fn place(axes: Axes, [blocks, tokens]: [usize; 2], [l, t]: [usize; 2]) -> Option<[usize; 2]> {
    let (last_layer, last_position) = (l == blocks, t + 1 == tokens);
    match axes {
        Axes::Stream => Some([l, t]),
        Axes::Blocks | Axes::Choices => (!last_layer).then_some([l, t]),
        Axes::Heads | Axes::Experts => (!last_layer && last_position).then_some([l, 0]),
        Axes::Layers => last_position.then_some([l, 0]),
        Axes::Tokens => last_layer.then_some([0, t]),
        Axes::Prompt => (last_layer && last_position).then_some([0, 0]),
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
    taps: Vec<(NamedTap, Values)>,
    top_id: [Vec<Option<u32>>; TOP_K],
    top_prob: [Vec<Option<f32>>; TOP_K],
}

/// The column of a tap.
enum Values {
    Numbers(Vec<Option<f32>>),
    /// Of heads and experts: a list for every block. Of choices: one for every block and token.
    Lists(Vec<Option<Vec<f32>>>),
}

impl Values {
    fn new(axes: Axes) -> Values {
        match axes {
            Axes::Heads | Axes::Experts | Axes::Choices => Values::Lists(Vec::new()),
            _ => Values::Numbers(Vec::new()),
        }
    }

    /// Adds the value of a tap's table at this place. Rows that hold lists hold so many, one after another.
    fn push(&mut self, table: &Array2<f32>, at: Option<[usize; 2]>, lists_of_row: usize) {
        // Not-a-number is what was not observed, and fills rows of fewer heads than others.
        let given = |value: &f32| Some(*value).filter(|value| !value.is_nan());
        match self {
            Values::Numbers(values) => values.push(at.and_then(|at| table.get(at)).and_then(given)),
            Values::Lists(lists) => {
                let size = table.ncols() / lists_of_row.max(1);
                let list = at.filter(|[row, _]| *row < table.nrows()).map(|[row, list]| {
                    let row = table.row(row);
                    row.iter().skip(list * size).take(size).filter_map(given).collect()
                });
                lists.push(list);
            }
        }
    }

    /// Whether some of these rows hold a value.
    fn are_in(&self, rows: &Range<usize>) -> bool {
        match self {
            Values::Numbers(values) => values[rows.clone()].iter().any(Option::is_some),
            Values::Lists(lists) => lists[rows.clone()].iter().any(Option::is_some),
        }
    }

    /// The table that these rows hold.
    fn table(&self, axes: Axes, rows: &Range<usize>, [blocks, tokens]: [usize; 2]) -> Array2<f32> {
        let heads = match self {
            Values::Numbers(_) => 0,
            Values::Lists(lists) => lists[rows.clone()].iter().flatten().map(Vec::len).max().unwrap_or(0),
        };
        let mut table = Array2::from_elem(axes.shape(blocks, tokens, heads), f32::NAN);
        for row in rows.clone() {
            let (l, t) = ((row - rows.start) / tokens, (row - rows.start) % tokens);
            let Some([to, column]) = place(axes, [blocks, tokens], [l, t]) else { continue };
            match self {
                Values::Numbers(values) => table[[to, column]] = values[row].unwrap_or(f32::NAN),
                Values::Lists(lists) => {
                    for (head, value) in lists[row].iter().flatten().enumerate() {
                        table[[to, column * heads + head]] = *value;
                    }
                }
            }
        }
        table
    }
}

impl Columns {
    /// No rows yet, and a column for every tap that these observations can show.
    fn of(observations: &[&PromptObservation]) -> Columns {
        let shown = |tap: &NamedTap| !tap.tap.optional || observations.iter().any(|o| o.has(&tap.name));
        let taps = named(&branches_of(observations.iter().copied())).into_iter().filter(shown);
        let taps = taps.map(|tap| (tap.clone(), Values::new(tap.tap.axes)));
        Columns { taps: taps.collect(), ..Columns::default() }
    }

    fn push(&mut self, cell: u32, o: &PromptObservation) {
        let (blocks, tokens) = (o.blocks(), o.tokens());
        for (l, t) in (0..=blocks).flat_map(|l| (0..tokens).map(move |t| (l, t))) {
            self.cell.push(cell);
            self.layer.push(l as u32);
            self.position.push(t as u32);
            self.token_id.push(o.token_ids[t]);
            let last_row = l == blocks && t + 1 == tokens;
            for k in 0..TOP_K {
                let top = o.top.get(k).filter(|_| last_row);
                self.top_id[k].push(top.map(|t| t.id));
                self.top_prob[k].push(top.map(|t| t.prob));
            }
        }
        for (tap, values) in &mut self.taps {
            let table = o.tap(&tap.name);
            for (l, t) in (0..=blocks).flat_map(|l| (0..tokens).map(move |t| (l, t))) {
                let lists_of_row = if tap.tap.axes == Axes::Choices { tokens } else { 1 };
                values.push(table, place(tap.tap.axes, [blocks, tokens], [l, t]), lists_of_row);
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
        ];
        columns.extend(self.taps.into_iter().map(|(tap, values)| match values {
            Values::Numbers(values) => Column::new(tap.name.into(), values),
            Values::Lists(values) => lists(&tap.name, values.iter().map(Option::as_deref)),
        }));
        for (k, (ids, probs)) in self.top_id.into_iter().zip(self.top_prob).enumerate() {
            columns.push(Column::new(top_name(k, "id").as_str().into(), ids));
            columns.push(Column::new(top_name(k, "prob").as_str().into(), probs));
        }
        DataFrame::new(height, columns)
    }

    fn from_frame(frame: &DataFrame) -> PolarsResult<Columns> {
        let u32s = |name: &str| {
            let numbers: Option<Vec<u32>> = frame.column(name)?.u32()?.iter().collect();
            numbers.ok_or_else(|| PolarsError::ComputeError(format!("a null in {name}").into()))
        };
        let maybe =
            |name: &str| PolarsResult::Ok(frame.column(name)?.f32()?.iter().collect::<Vec<Option<f32>>>());
        let mut columns = Columns {
            cell: u32s("cell")?,
            layer: u32s("layer")?,
            position: u32s("position")?,
            token_id: u32s("token_id")?,
            ..Columns::default()
        };
        for tap in frame.get_column_names().iter().filter_map(|name| NamedTap::of(name)) {
            let values = match tap.tap.axes {
                Axes::Heads | Axes::Experts | Axes::Choices => {
                    Values::Lists(of_lists(frame.column(&tap.name)?)?)
                }
                _ => Values::Numbers(maybe(&tap.name)?),
            };
            columns.taps.push((tap, values));
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
    let mut wrong = o.named().into_iter().filter(|tap| o.has(&tap.name)).filter_map(|tap| {
        let found = o.tap(&tap.name).dim();
        let others = if tap.tap.axes == Axes::Choices { found.1 / tokens.max(1) } else { found.1 };
        let [rows, columns] = tap.tap.axes.shape(blocks, tokens, others);
        (found != (rows, columns)).then_some((tap.name, found, (rows, columns)))
    });
    let what = if tokens == 0 {
        "it has no tokens".to_string()
    } else if !o.has("resid") {
        "it has no stream (resid)".to_string()
    } else if let Some((name, found, expected)) = wrong.next() {
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
    use ndarray::array;

    use super::*;

    fn observation(blocks: usize, tokens: usize, top: usize, shift: f32) -> PromptObservation {
        // Both zeros, the smallest and largest magnitudes, infinity: what a codec could lose.
        let hard = [0.0, -0.0, f32::MIN_POSITIVE, 1e-45, f32::MAX, f32::MIN, f32::INFINITY, 0.1];
        let mut n = 0usize;
        let mut next = || {
            n += 1;
            if n.is_multiple_of(3) { hard[n / 3 % hard.len()] } else { n as f32 / 7.0 + shift }
        };
        let heads = tokens.min(top); // none where top is 0
        let mut made = PromptObservation::made([blocks, tokens, heads], |tap, _| match tap {
            "entropy_nats" => -0.0 + shift,
            "logit_shift" => 0.5 + shift,
            "loss_nats" => -0.0,
            "lens_entropy_nats" => shift / 3.0,
            _ => next(),
        });
        made.token_ids = (0..tokens as u32).map(|t| t.wrapping_mul(0x9e37_79b9)).collect();
        made.top = (0..top as u32).map(|id| TopToken { id, prob: 1.0 / (id + 3) as f32 }).collect();
        let absent: &[&str] = match top {
            0 => &["logit_shift", "loss_nats", "lens_entropy_nats"],
            5 => &[],
            _ => &["loss_nats", "lens_entropy_nats"],
        };
        absent.iter().for_each(|tap| made.take(tap));
        if top == 3 {
            // The first block has no experts, the others have four, of which a token chooses two.
            let of = |block: usize, value: f32| if block == 0 { f32::NAN } else { value };
            let lists = |columns: usize| {
                Array2::from_shape_fn((blocks, columns), |(block, at)| of(block, shift + at as f32))
            };
            made.put("expert_tokens", lists(4));
            made.put("expert_weight", lists(2 * tokens));
            made.put("router_margin", lists(tokens));
            made.put_number("router_near_ties", Some(1.0));
        }
        made
    }

    fn bits(o: &PromptObservation) -> Vec<u32> {
        let all = o.named().into_iter().flat_map(|tap| o.tap(&tap.name).iter().map(|x| x.to_bits()));
        let top = o.top.iter().flat_map(|t| [t.id, t.prob.to_bits()]);
        all.chain(o.token_ids.iter().copied()).chain(top).collect()
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
            assert_eq!(back.branches(), cell.branches());
            for tap in cell.named() {
                assert_eq!(back.has(&tap.name), cell.has(&tap.name), "{}", tap.name);
                assert_eq!(back.tap(&tap.name).dim(), cell.tap(&tap.name).dim(), "{}", tap.name);
            }
            assert_eq!(bits(&back), bits(cell));
        }
        assert!(segment.observation(&(rows[0].start..rows[0].end - 1)).is_none());
        assert!(segment.observation(&(0..u64::MAX)).is_none());
    }

    #[test]
    fn models_of_other_branches_and_of_heads_that_differ_by_block_share_a_segment() {
        let mut hybrid = PromptObservation::new(vec![3, 4], ["mixer", "attn"]);
        hybrid.put("resid", array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        hybrid.put("mixer_out", array![[7.0, 8.0], [f32::NAN, f32::NAN]]);
        hybrid.put("attn_out", array![[f32::NAN, f32::NAN], [9.0, 10.0]]);
        hybrid.put("attn_off_diagonal", array![[0.5, f32::NAN], [0.25, 0.75]]);
        hybrid.put("kept", array![[2.0, 4.0], [6.0, 8.0]]);
        let plain = observation(2, 3, 5, 0.0);
        let (bytes, rows) = encode(&[("hybrid", &hybrid), ("plain", &plain)]).unwrap();
        let segment = Segment::decode("test", bytes).unwrap();
        let [a, b] = [0, 1].map(|cell| segment.observation(&rows[cell]).unwrap());
        let seen = |o: &PromptObservation| o.named().into_iter().filter(|tap| o.has(&tap.name)).count();
        assert_eq!((a.branches(), seen(&a)), (hybrid.branches(), 5));
        let text = |o: &PromptObservation| format!("{o:?}"); // not-a-number is not equal to itself
        assert_eq!((text(&a), bits(&b)), (text(&hybrid), bits(&plain)));
        assert!(!b.has("kept") && b.branches() == plain.branches());
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
        cell.put("attn_out", Array2::zeros((2, 4)));
        let text = encode(&[("observe/m/p", &cell)]).unwrap_err().to_string();
        assert!(text.contains("observe/m/p") && text.contains("attn_out, found (2, 4)"), "{text}");
        cell.put("attn_out", Array2::zeros((2, 3)));
        cell.put("lens_entropy_nats", Array2::zeros((2, 1)));
        let text = encode(&[("x", &cell)]).unwrap_err().to_string();
        assert!(text.contains("lens_entropy_nats"), "{text}");
        assert!(encode(&[("x", &observation(2, 0, 5, 0.0))]).is_err());
    }
}
