//! The trait of a kind of test: which quantities it reads, what can be wrong with it, and how it runs.
//!
//! A new kind is a file in `kinds` with its fields, its `statistics!` and this trait, and its name in `kinds/mod.rs`. The
//! checks of files, the JSON Schema and the template of `streamgauge new` follow from these.

use super::{
    context::TestContext,
    findings::Findings,
    hypothesis::{Quantity, Select, Step},
    outcome::Judgement,
};
use number::facts::ModelFacts;
use number::protocol::Protocol;

/// The path from the table `test` of a prediction to a value in it.
pub(crate) type Path = Vec<Step<'static>>;

/// A kind of test, as the fields of its table in a hypothesis file.
pub(crate) trait Kind {
    /// The quantities, facts and names that the test reads, each with its path.
    fn parts(&self) -> Parts<'_>;

    /// The mistakes that its types allow, e.g. bounds the wrong way round.
    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }

    /// What an end of an interval is where there is no effect, for statistics that have a direction.
    fn null(&self, _statistic: &str) -> Option<f64> {
        None
    }

    /// Whether the test needs this revision or variant although no filter speaks of such models.
    fn takes(&self, _lineage: &ModelFacts) -> bool {
        false
    }

    /// Why the specification curve of this test has no permutation p, in words for the report.
    fn no_permutation_reason(&self) -> &'static str {
        "the primary specification has no units to flip"
    }

    /// Corrects a judgement that would say more than this kind of test can tell.
    fn amend(&self, _judgement: &mut Judgement) {}

    /// Computes the statistics and estimates from the numbers that `context` gives access to.
    fn run(&self, context: &TestContext<'_>) -> Findings;
}

/// A mistake inside `test`.
pub(crate) struct Fault {
    /// Where it is.
    pub path: Path,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub advice: &'static str,
}

impl Fault {
    /// The mistake of a smallest effect of interest below 0, at the field of that name.
    pub(crate) fn if_negative(field: &'static str, size: f64) -> Vec<Fault> {
        let message = format!("the smallest effect of interest is negative: {size}");
        let negative = Fault::new(field, message, "write its size, without a sign: rules say the direction");
        (size < 0.0).then_some(negative).into_iter().collect()
    }

    pub(crate) fn new(field: &'static str, message: impl Into<String>, advice: &'static str) -> Fault {
        Fault { path: vec![field.into()], message: message.into(), advice }
    }
}

/// Everything that a test refers to, each with its path. `check` verifies it without knowing the kind.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    /// Quantities, without those they are combined with.
    pub quantities: Vec<(Path, &'a Quantity)>,
    /// Every layer of the quantities is read, so they select none.
    pub all_layers: bool,
    /// The fields of quantities in which models must differ for the test to say anything.
    pub differing: Vec<&'static str>,
    /// `across-protocols` of a test that compares its quantities; `None` where each number is judged alone.
    pub across: Option<bool>,
    /// Protocols that the test itself compares.
    pub protocols: &'a [Protocol],
    /// Row selections outside of quantities.
    pub selects: Vec<(Path, &'a Select)>,
    /// Names of prompt categories.
    pub categories: Vec<(Path, &'a str)>,
    /// Ids of models.
    pub models: Vec<(Path, &'a str)>,
    /// Names of model facts.
    pub facts: Vec<(Path, &'a str)>,
}

impl<'a> Parts<'a> {
    /// A test of these quantities, each under the field of that name.
    pub(crate) fn of<const N: usize>(list: [(&'static str, &'a Quantity); N]) -> Parts<'a> {
        let quantities = list.into_iter().map(|(field, quantity)| (vec![field.into()], quantity)).collect();
        Parts { quantities, ..Parts::default() }
    }

    /// The test compares its quantities; `across` is its field `across-protocols`.
    pub(crate) fn compared(self, across: bool) -> Parts<'a> {
        Parts { across: Some(across), ..self }
    }

    /// Models are compared by how they differ in the quantities of these fields.
    pub(crate) fn differing<const N: usize>(self, fields: [&'static str; N]) -> Parts<'a> {
        Parts { differing: fields.to_vec(), ..self }
    }

    /// Those of the quantities in which models must differ.
    pub(crate) fn must_differ(&self) -> impl Iterator<Item = &'a Quantity> {
        let named = |path: &Path| matches!(path[..], [Step::Key(field)] if self.differing.contains(&field));
        self.quantities.iter().filter(move |(path, _)| named(path)).map(|(_, quantity)| *quantity)
    }

    /// The test reads every layer of its quantities.
    pub(crate) fn over_layers(self) -> Parts<'a> {
        Parts { all_layers: true, ..self }
    }

    /// Adds a quantity that the file may leave out.
    pub(crate) fn and(mut self, field: &'static str, quantity: Option<&'a Quantity>) -> Parts<'a> {
        self.quantities.extend(quantity.map(|q| (vec![field.into()], q)));
        self
    }

    /// Adds a field that names a model fact.
    pub(crate) fn fact(mut self, field: &'static str, fact: &'a str) -> Parts<'a> {
        self.facts.push((vec![field.into()], fact));
        self
    }

    /// Every quantity and those it is combined with, as one list.
    pub(crate) fn walk(&self) -> Vec<(Path, &'a Quantity)> {
        let all = self.quantities.iter().flat_map(|(path, quantity)| {
            let inner = quantity.walk().into_iter();
            inner.map(|(more, q)| {
                let more: Path = more.into_iter().map(Step::from).collect();
                ([&path[..], &more].concat(), q)
            })
        });
        all.collect()
    }
}
