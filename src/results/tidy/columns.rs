//! Every table of `results/tables`, column by column with type, unit and meaning.

use std::{borrow::Cow, sync::LazyLock};

use crate::tables::of_tokens;
use number::observation::{ATTENTION, Axes, MLP, NamedTap};

/// One table.
#[derive(Clone, Debug)]
pub struct Table {
    /// File stem.
    pub name: &'static str,
    /// How its file is written.
    pub format: Format,
    /// What one row is.
    pub row: &'static str,
    /// In the order of the file.
    pub columns: Vec<Column>,
}

/// How the file of a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Typed columns, compressed.
    Parquet,
    /// Comma-separated text with a header (RFC 4180).
    Csv,
}

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// As the header of the file has it.
    pub name: Cow<'static, str>,
    /// What its values are.
    pub kind: Type,
    /// Empty for words and counts.
    pub unit: &'static str,
    /// What a value says.
    pub meaning: Cow<'static, str>,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Words; null or empty where there are none.
    Text,
    /// Whole numbers.
    Integer,
    /// Numbers of binary floating point.
    Number,
    /// `true` or `false`.
    Truth,
}

impl Table {
    /// File name in `results/tables`.
    pub fn file(&self) -> String {
        let extension = match self.format {
            Format::Parquet => "parquet",
            Format::Csv => "csv",
        };
        format!("{}.{extension}", self.name)
    }
}

/// The table of a name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

const fn text(name: &'static str, meaning: &'static str) -> Column {
    Column { name: Cow::Borrowed(name), kind: Type::Text, unit: "", meaning: Cow::Borrowed(meaning) }
}

const fn count(name: &'static str, meaning: &'static str) -> Column {
    Column { name: Cow::Borrowed(name), kind: Type::Integer, unit: "", meaning: Cow::Borrowed(meaning) }
}

const fn number(name: &'static str, unit: &'static str, meaning: &'static str) -> Column {
    Column { name: Cow::Borrowed(name), kind: Type::Number, unit, meaning: Cow::Borrowed(meaning) }
}

const fn truth(name: &'static str, meaning: &'static str) -> Column {
    Column { name: Cow::Borrowed(name), kind: Type::Truth, unit: "", meaning: Cow::Borrowed(meaning) }
}

/// The taps that have a value for each token, of blocks of attention and MLP. Where a model has other branches, the table has
/// columns under their names too.
fn taps() -> Vec<Column> {
    let column = |tap: NamedTap| {
        let (layer, empty) = match tap.tap.axes {
            Axes::Blocks => (" in block l", "; empty at L"),
            Axes::Tokens => ("", "; empty below L"),
            _ => ("", ""),
        };
        let meaning = format!("{}{layer}{empty}", tap.meaning());
        Column { name: tap.name.into(), kind: Type::Number, unit: tap.tap.unit, meaning: meaning.into() }
    };
    let always = of_tokens(&[ATTENTION, MLP]).into_iter().filter(|tap| !tap.tap.optional);
    always.map(column).collect()
}

const EVIDENCE: Column = text(
    "evidence",
    "published (imported tables), measured (observed here on checkpoints trained on natural data) or rehearsal (observed here on miniatures, random weights, and stages and variants of these: it tests the instrument)",
);
const SOURCE: Column = text("source", "name of the published source, or streamgauge");
const MODEL: Column = text("model", "model id");
const PROMPT: Column =
    text("prompt", "prompt id; empty for a property of the weights and for an aggregate over prompts");
const CATEGORY: Column = text("category", "category of the prompt");
const DTYPE: Column = text("dtype", "precision of the computation");
const HYPOTHESIS: Column = text("hypothesis", "hypothesis id");
const PREDICTION: Column = text("prediction", "prediction id");
const PROTOCOL: Column = text(
    "protocol",
    "reduction/endpoint/BOS of the numbers, several joined by ` and `; empty where no token enters them",
);
const PRIMARY: Column = truth("primary", "whether the protocol is the hypothesis's primary one");
const UNIT: Column = text("unit", "unit of the numbers of this row");
const OF_UNIT: &str = "column `unit`";
const LOW: Column = number("low", OF_UNIT, "lower limit of the 1 - alpha interval");
const HIGH: Column = number("high", OF_UNIT, "upper limit of the 1 - alpha interval");
const P: Column = number("p", "probability", "two-sided unless the notes of the verdict say otherwise");
const N: Column = count("n", "resampling units behind it (prompts or models)");

/// In the order of the flow.
pub static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    vec![
        Table {
            name: "observations",
            format: Format::Parquet,
            row: "one token position of one prompt at one layer of one model under one BOS policy",
            columns: vec![
                EVIDENCE,
                SOURCE,
                MODEL,
                PROMPT,
                CATEGORY,
                text("bos", "BOS policy: auto, always, never"),
                DTYPE,
                count("position", "token position, 0 = first token run, BOS included"),
                count("token_id", "id in the model's vocabulary"),
                count("layer", "0 = entering block 0, l = entering block l, L = after the last block"),
            ]
            .into_iter()
            .chain(taps())
            .collect(),
        },
        Table {
            name: "measurements",
            format: Format::Parquet,
            row: "one number: a metric of one model (and prompt, and layer) under one protocol",
            columns: vec![
                EVIDENCE,
                SOURCE,
                MODEL,
                PROMPT,
                CATEGORY,
                text(
                    "metric",
                    "metric name, of a branch that no metric names with the branch in parentheses; unit and definition in the \
                     report under Methods",
                ),
                count("layer", "layer as in observations; empty where the metric has none"),
                text("reduction", "token reduction; empty where it does not enter the number"),
                text("endpoint", "endpoint of the gain; empty where it does not enter the number"),
                text("bos", "BOS policy; empty for a property of the weights"),
                DTYPE,
                number("value", "unit of the metric", "the number"),
                text("definition", "where the source deviates from the metric's definition; else empty"),
            ],
        },
        Table {
            name: "predictions",
            format: Format::Csv,
            row: "one prediction on one kind of evidence under one protocol",
            columns: vec![
                HYPOTHESIS,
                PREDICTION,
                EVIDENCE,
                PROTOCOL,
                PRIMARY,
                truth("core", "whether the hypothesis stands or falls with the prediction"),
                text("verdict", "supported, contradicted, negligible, inconclusive, fragile or untestable"),
                text("overall", "the prediction's verdict over all equivalent protocols"),
                text("because", "the conditions of the rule that decided, with their numbers"),
                text("missing", "what the test needs and is not here, joined by `; `"),
            ],
        },
        Table {
            name: "statistics",
            format: Format::Csv,
            row: "one statistic of one prediction under one protocol, as rules refer to it",
            columns: vec![
                HYPOTHESIS,
                PREDICTION,
                EVIDENCE,
                PROTOCOL,
                PRIMARY,
                text("statistic", "name, e.g. rho"),
                number("value", "see the name", "empty where it could not be computed"),
            ],
        },
        Table {
            name: "estimates",
            format: Format::Csv,
            row: "one estimate (of a model, a group, a pool) behind one prediction under one protocol",
            columns: vec![
                HYPOTHESIS,
                PREDICTION,
                EVIDENCE,
                PROTOCOL,
                PRIMARY,
                text("label", "what it is of: a model id, a category, `pooled`"),
                UNIT,
                number("value", OF_UNIT, "the estimate; empty where it cannot be computed"),
                LOW,
                HIGH,
                P,
                N,
            ],
        },
        Table {
            name: "specifications",
            format: Format::Csv,
            row: "one way of measuring one prediction: a point of its specification curve",
            columns: vec![
                HYPOTHESIS,
                PREDICTION,
                EVIDENCE,
                count("rank", "place by effect within the curve, 1 = smallest"),
                text("choices", "dimension=value of every choice, joined by `; `"),
                text("relation", "primary, equivalent or different-estimand"),
                text("verdict", "what the rule says of these numbers"),
                UNIT,
                number("effect", OF_UNIT, "the effect; empty where it cannot be computed"),
                LOW,
                HIGH,
                P,
                N,
            ],
        },
        Table {
            name: "claims",
            format: Format::Csv,
            row: "one number or word that was printed, beside what the published rows behind it give",
            columns: vec![
                text("id", "C… of data/published/claims.csv, S… of its recipes.toml"),
                text("section", "section of the research note; of a statistic where it was stated"),
                text("text", "what the number or word was printed as"),
                text("models", "models the claim names, joined by `; `"),
                text("printed", "number or words as printed"),
                UNIT,
                number("tolerance", OF_UNIT, "how far a number may be off to print alike; empty for words"),
                text("recomputed", "the same from the rows; empty where the outcome is `no data`"),
                text("outcome", "reproduces, differs or no data"),
                text("deviations", "how the value is not what the claim says, joined by `; `"),
                text(
                    "measures",
                    "metric, models, prompts, source and precision of the rows, and what is computed",
                ),
                text("definitions", "what the sources' rows say of themselves, joined by `; `"),
                PROTOCOL,
                count("rows", "rows and facts behind the value"),
                text("note", "what is missing, or what else the rows say"),
            ],
        },
        Table {
            name: "printed_statistics",
            format: Format::Csv,
            row: "one statistic that a file of the research prints, beside what the published rows behind it give",
            columns: vec![
                text("id", "S… of data/published/statistics.csv"),
                text("place", "file, and the place in it"),
                text("group", "what the statistic is about, in the file's words"),
                text("statistic", "its name in the file"),
                text("printed", "number or words as printed"),
                number(
                    "tolerance",
                    "of the statistic",
                    "half a unit of the last printed digit; empty for words",
                ),
                text("recomputed", "the same from the rows; empty where the outcome is `no data`"),
                text("outcome", "reproduces, differs or no data"),
                text("differs", "why the printed value is another"),
                text("deviations", "how the value is not what it is called, joined by `; `"),
                text(
                    "measures",
                    "metric, models, prompts, source and precision of the rows, and what is computed",
                ),
                PROTOCOL,
                count("rows", "rows and facts behind the value"),
                text("note", "what is missing, or what else the rows say"),
            ],
        },
    ]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_number_has_a_unit() {
        for (i, table) in TABLES.iter().enumerate() {
            assert!(TABLES[..i].iter().all(|other| other.name != table.name));
            for (c, column) in table.columns.iter().enumerate() {
                assert!(table.columns[..c].iter().all(|other| other.name != column.name), "{}", column.name);
                assert_eq!(column.kind == Type::Number, !column.unit.is_empty(), "{}", column.name);
            }
        }
    }
}
