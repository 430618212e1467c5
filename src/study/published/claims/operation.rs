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
        /// Standard deviation, n - 1 in the denominator.
        Sd = "sd",
        /// Standard deviation, n in the denominator.
        PopulationSd = "population_sd",
        Min = "min",
        Max = "max",
        Product = "product",
        /// Mean by model, one number each.
        ModelMeans = "model_means",
        /// Layer of the largest value.
        LayerOfMax = "layer_of_max",
        /// Layer of the smallest value.
        LayerOfMin = "layer_of_min",
        /// Category of prompts with the largest mean.
        CategoryOfMax = "category_of_max",
        /// Place of the row's category among those named, from 1.
        CategoryNumber = "category_number",
        /// The one value that all rows share.
        Same = "same",
        /// Endpoint of the rows' protocols.
        Endpoint = "endpoint",
        Abs = "abs",
        /// Natural logarithm.
        Log = "log",
        /// Logarithm to base 10.
        Log10 = "log10",
        Exp = "exp",
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
        /// t of one sample's mean against a number.
        MeanT = "mean_t",
        /// One-sided p of the same: that the mean is below the number.
        MeanBelowP = "mean_below_p",
        /// t of two groups that share one variance, x - y.
        GroupsT = "groups_t",
        /// Its two-sided p.
        GroupsP = "groups_p",
        /// Mean of x less that of y, over the deviation within the groups.
        CohenD = "cohen_d",
        /// Two-sided p of Fisher's exact test of the counts a, b over c, d.
        FisherP = "fisher_p",
        /// Pearson's r of numbers in pairs: x1, y1, x2, y2 …
        PearsonOfPairs = "pearson_of_pairs",
        /// Quantile of Student's t with so many degrees of freedom.
        TQuantile = "t_quantile",
        /// p of Kruskal-Wallis over the prompts' categories.
        KruskalP = "kruskal_p",
        /// b of y = a x^b, by least squares on logarithms.
        Exponent = "exponent",
        /// a of y = a x^b.
        Coefficient = "coefficient",
        /// b of y = a + b x, by least squares.
        Slope = "slope",
        /// Standard error of b.
        SlopeSe = "slope_se",
        /// Two-sided p of b by Student's t.
        SlopeP = "slope_p",
        /// a of y = a + b x.
        Intercept = "intercept",
        /// Share of the variance of y that the line explains.
        RSquared = "r_squared",
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
            Operation::CategoryNumber => (2, usize::MAX),
            Operation::PearsonOfPairs => (6, usize::MAX),
            Operation::If => (3, 3),
            Operation::FisherP => (4, 4),
            Operation::Round
            | Operation::MeanT
            | Operation::MeanBelowP
            | Operation::TQuantile
            | Operation::GroupsT
            | Operation::GroupsP
            | Operation::CohenD
            | Operation::Slope
            | Operation::SlopeSe
            | Operation::SlopeP
            | Operation::Intercept
            | Operation::RSquared
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
            Operation::MeanT | Operation::MeanBelowP => "rows, number",
            Operation::TQuantile => "share, degrees of freedom",
            Operation::CategoryNumber => "rows, 'category' …",
            Operation::FisherP => "a, b, c, d",
            Operation::PearsonOfPairs => "x, y, x, y, x, y …",
            Operation::All | Operation::Any | Operation::Share => "comparison",
            _ if self.arguments().0 == 2 => "x, y",
            _ => "rows",
        };
        format!("{self}({arguments})")
    }
}
