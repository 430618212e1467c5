//! The operations of recipes.

use base::named_enum;

named_enum! {
    /// What a recipe may do with rows, numbers and words.
    Operation, "operation" {
        /// Number of rows, or of those for which a comparison holds.
        Count = "count",
        /// Part of the rows for which a comparison holds.
        Share = "share",
        /// Whether a comparison holds for every row.
        All = "all",
        /// Whether it holds for at least one.
        Any = "any",
        /// Number of different models behind the rows.
        Models = "models",
        /// Number of different words or numbers.
        Distinct = "distinct",
        Mean = "mean",
        Median = "median",
        Min = "min",
        Max = "max",
        Product = "product",
        /// Mean by model, one number each.
        ModelMeans = "model_means",
        /// Layer of the largest value.
        LayerOfMax = "layer_of_max",
        /// Layer of the smallest value.
        LayerOfMin = "layer_of_min",
        /// The one value that all rows share.
        Same = "same",
        /// Endpoint of the rows' protocols.
        Endpoint = "endpoint",
        Abs = "abs",
        /// Natural logarithm.
        Log = "log",
        Sqrt = "sqrt",
        /// To a number of decimals.
        Round = "round",
        /// To bfloat16, ties to even.
        Bf16 = "bf16",
        Pearson = "pearson",
        /// Two-sided p by Student's t.
        PearsonP = "pearson_p",
        Spearman = "spearman",
        /// Two-sided p by Student's t.
        SpearmanP = "spearman_p",
        /// Two-sided p of Student's t test of the differences y - x.
        PairedTP = "paired_t_p",
        /// Two-sided p of Wilcoxon's signed ranks of the differences y - x.
        WilcoxonP = "wilcoxon_p",
        /// p of Kruskal-Wallis over the prompts' categories.
        KruskalP = "kruskal_p",
        /// b of y = a x^b, by least squares on logarithms.
        Exponent = "exponent",
        /// a of y = a x^b.
        Coefficient = "coefficient",
        /// `if(condition, one, other)`.
        If = "if",
        /// Words with numbers: `%2` stands for the next argument, to two decimals.
        Text = "text",
    }
}

impl Operation {
    /// The fewest and the most arguments.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Operation::Text => (1, usize::MAX),
            Operation::If => (3, 3),
            Operation::Round
            | Operation::Pearson
            | Operation::PearsonP
            | Operation::Spearman
            | Operation::SpearmanP
            | Operation::PairedTP
            | Operation::WilcoxonP
            | Operation::Exponent
            | Operation::Coefficient => (2, 2),
            _ => (1, 1),
        }
    }

    /// How it is called.
    pub(super) fn usage(self) -> String {
        let arguments = match self {
            Operation::Text => "'words', numbers …",
            Operation::If => "condition, one, other",
            Operation::Round => "number, decimals",
            Operation::All | Operation::Any | Operation::Share => "comparison",
            _ if self.arguments().0 == 2 => "x, y",
            _ => "rows",
        };
        format!("{self}({arguments})")
    }
}
