//! Texts from files of others stay texts in every file of the report: no markup in Markdown, well-formed pictures, no formula in
//! a table.

use results::report::{Report, View};
use results::tidy;
use study::judge::outcome::Derived;

const MARKUP: &str = "# <script>x</script> <img src=y> ![z](http://evil) [a](javascript:b) https://evil.org www.evil.org \
                      `c` **d** _e_ ~~f~~ &lt;g | h \\";
const CONTROL: &str = "a\u{0}b\u{1b}[2Jc\u{9b}d\u{b}\u{ffff}\u{202e}";
const FORMULA: &str = "=HYPERLINK(\"http://evil\")";

/// With this text wherever a file of a user has one.
fn view(text: &str) -> View {
    let mut view = crate::snapshots::view();
    view.provenance.experiment_title = text.into();
    view.problems = vec![text.into()];
    for hypothesis in &mut view.hypotheses {
        hypothesis.title = text.into();
        hypothesis.statement = text.into();
        hypothesis.published_verdict = text.into();
        for prediction in &mut hypothesis.predictions {
            prediction.claim = text.into();
            for judgement in std::iter::once(&mut prediction.primary).chain(&mut prediction.others) {
                judgement.unit = text.into();
                judgement.because = text.into();
                judgement.notes = vec![text.into()];
                judgement.estimates.iter_mut().for_each(|estimate| estimate.label = text.into());
            }
        }
        for choice in hypothesis
            .curves
            .iter_mut()
            .flat_map(|curve| &mut curve.specifications)
            .flat_map(|s| &mut s.choices)
        {
            if choice.dimension == "categories" {
                choice.value = text.into();
            }
        }
    }
    for claim in view.claims.iter_mut().chain(&mut view.statistics) {
        (claim.text, claim.measures, claim.note) = (text.into(), text.into(), text.into());
        (claim.group, claim.differs) = (text.into(), text.into());
        claim.deviations = vec![text.into()];
    }
    for (_, registration) in &mut view.registrations {
        registration.diff.push(text.into());
        registration.entered.push(text.into());
        registration.effects.push(text.into());
        registration.derived = Some(Derived { from: text.into(), diff: vec![text.into()] });
    }
    view
}

#[test]
fn names_are_no_markup_in_markdown() {
    let text = Report::of(&view(MARKUP)).markdown();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        let ours = ["<details><summary>", "</summary>", "</details>", "<!-- -->"];
        let rest = ours.iter().fold(line.to_string(), |rest, tag| rest.replace(tag, ""));
        // Code says what it holds: what is set as code by the text itself, too.
        let rest: String = rest.split('`').step_by(2).collect();
        assert!(!rest.contains('<'), "an element in {line}");
        for (at, _) in rest.match_indices("](").filter(|(at, _)| !rest[..*at].ends_with('\\')) {
            let target = &rest[at + 2..];
            let ours = ["#", "index.html#", "data/", "verdict-h1.", "layer-profiles."];
            assert!(ours.iter().any(|start| target.starts_with(start)), "a link to {target}");
        }
        assert!(!rest.contains("https://") && !rest.contains("www."), "an address in {line}");
    }
    assert!(text.contains("\\# &lt;script>x"), "a paragraph begins with no heading");
}

#[test]
fn pictures_are_well_formed_and_pages_hold_no_control_characters() {
    let report = Report::of(&view(CONTROL));
    for (name, bytes) in report.pictures().unwrap() {
        let Some(svg) = name.ends_with(".svg").then(|| String::from_utf8(bytes).unwrap()) else { continue };
        // What XML allows.
        let bad =
            |c: char| (c < ' ' && !matches!(c, '\n' | '\t' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
        assert!(!svg.contains(bad), "{name}");
    }
    let whole: String = report.terminal_pages().into_iter().map(|page| page.text).collect();
    for text in [whole, report.terminal(), report.markdown(), report.html().page] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(text.contains(r"b\u{1b}[2Jc\u{9b}d") || text.contains(r"b\u{1b}\[2Jc\u{9b}d"));
    }
}

#[test]
fn no_cell_of_a_table_is_a_formula() {
    let view = view(FORMULA);
    let tables = [
        tidy::predictions(&view.hypotheses),
        tidy::statistics(&view.hypotheses),
        tidy::estimates(&view.hypotheses),
        tidy::specifications(&view.hypotheses),
        tidy::claims(&view.claims),
        tidy::printed_statistics(&view.statistics),
    ];
    let data = Report::of(&view).html().data.into_iter().map(|(_, text)| text.into_bytes());
    let (mut shown, mut negative) = (0, 0);
    for table in data.chain(tables) {
        let mut reader = csv::Reader::from_reader(table.as_slice());
        for cell in
            reader.records().flat_map(|row| row.unwrap().iter().map(str::to_string).collect::<Vec<_>>())
        {
            let number = cell.parse::<f64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@']), "{cell}");
            shown += usize::from(cell.starts_with("'="));
            negative += usize::from(number && cell.starts_with('-'));
        }
    }
    assert!(shown > 5 && negative > 1, "{shown} texts, {negative} numbers below 0");
}
