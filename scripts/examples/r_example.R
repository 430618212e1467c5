# Last gains of every model observed here, of evidence and of rehearsal, under three protocols, with base R.
# Run: streamgauge tables measurements --where metric=last-gain > gains.csv && Rscript scripts/examples/r_example.R gains.csv
arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1], na.strings = "", stringsAsFactors = FALSE)
gains <- subset(rows, evidence != "published" & metric == "last-gain" & bos == "auto")
# Numbers of different protocols are different quantities: the protocol is a column of the result, never averaged away.
gains$protocol <- paste(gains$reduction, gains$endpoint, sep = "/")
gains <- subset(gains, protocol %in% c("last/last-block", "frobenius/last-block", "mean/hf-last"))
means <- tapply(log(gains$value), list(gains$model, gains$protocol), mean)
print(round(exp(means), 4))
