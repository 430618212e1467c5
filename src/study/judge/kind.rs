//! What every kind of test says about itself: its statistics, the quantities it reads, and how it runs.
//!
//! A new kind is a file with its fields, its `statistics!` and this trait, and its name in the list of `test`. The file
//! checks, the law of protocols and the template read everything else off it.

use super::{
    context::TestContext,
    findings::Findings,
    hypothesis::{Quantity, Select, Step},
    outcome::Judgement,
};
use number::facts::ModelFacts;
use number::protocol::Protocol;

/// Where something lies inside the table `test`.
pub(crate) type Path = Vec<Step<'static>>;

pub(crate) trait Kind {
    /// What the test reads.
    fn parts(&self) -> Parts<'_>;

    /// What is wrong with it beyond its types.
    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }

    /// Whether it looks at this revision or variant by itself, whatever filters say of such models.
    fn takes(&self, _lineage: &ModelFacts) -> bool {
        false
    }

    /// Why no flip of units shows what chance alone would make of the effect, where the test leaves none.
    fn no_permutation_reason(&self) -> &'static str {
        "the primary specification has no units to flip"
    }

    /// Corrects a judgement that would say more than this kind of test can tell.
    fn amend(&self, _judgement: &mut Judgement) {}

    fn run(&self, context: &TestContext<'_>) -> Findings;
}

/// A mistake inside `test`.
pub(crate) struct Fault {
    pub path: Path,
    pub message: String,
    pub advice: &'static str,
}

impl Fault {
    pub(crate) fn new(field: &'static str, message: impl Into<String>, advice: &'static str) -> Fault {
        Fault { path: vec![field.into()], message: message.into(), advice }
    }
}

/// What a test reads, each with its path.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    pub quantities: Vec<(Path, &'a Quantity)>,
    /// Every layer of the quantities is read, so they select none.
    pub all_layers: bool,
    /// `across-protocols` of a test that compares its quantities; `None` where each number is judged alone.
    pub across: Option<bool>,
    /// Protocols that the test itself compares.
    pub protocols: &'a [Protocol],
    pub selects: Vec<(Path, &'a Select)>,
    pub categories: Vec<(Path, &'a str)>,
    pub models: Vec<(Path, &'a str)>,
    pub facts: Vec<(Path, &'a str)>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of<const N: usize>(list: [(&'static str, &'a Quantity); N]) -> Parts<'a> {
        let quantities = list.into_iter().map(|(field, quantity)| (vec![field.into()], quantity)).collect();
        Parts { quantities, ..Parts::default() }
    }

    pub(crate) fn compared(self, across: bool) -> Parts<'a> {
        Parts { across: Some(across), ..self }
    }

    pub(crate) fn over_layers(self) -> Parts<'a> {
        Parts { all_layers: true, ..self }
    }

    /// A quantity that need not be there.
    pub(crate) fn and(mut self, field: &'static str, quantity: Option<&'a Quantity>) -> Parts<'a> {
        self.quantities.extend(quantity.map(|q| (vec![field.into()], q)));
        self
    }

    pub(crate) fn fact(mut self, field: &'static str, fact: &'a str) -> Parts<'a> {
        self.facts.push((vec![field.into()], fact));
        self
    }

    /// Every quantity with those it is combined with, flat.
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
