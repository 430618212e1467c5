//! The six verdicts that a prediction or a hypothesis can get.

use base::named_enum;

named_enum! {
    /// How a claim fares. Definitions: README, "Verdicts".
    Verdict, "verdict" {
        /// In the predicted direction and beyond the smallest effect of interest.
        Supported = "supported",
        /// Beyond the smallest effect of interest, the other way.
        Contradicted = "contradicted",
        /// The interval lies inside the smallest effect of interest.
        Negligible = "negligible",
        /// None of the above.
        Inconclusive = "inconclusive",
        /// The verdict changes with a defensible protocol.
        Fragile = "fragile",
        /// Models, prompts or numbers that the test needs do not exist here.
        Untestable = "untestable",
    }
}
