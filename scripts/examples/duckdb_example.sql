-- Geometric mean of the last gain of what is observed here, by model and protocol, with DuckDB, from results/tables.
-- Run: duckdb -c ".read scripts/examples/duckdb_example.sql"   (or through any DuckDB client)
SELECT model, reduction || '/' || endpoint AS protocol, round(exp(avg(ln(value))), 4) AS gain, count(*) AS prompts
FROM 'results/tables/measurements.parquet'
WHERE evidence <> 'published' AND metric = 'last-gain' AND bos = 'auto'
  AND reduction || '/' || endpoint IN ('last/last-block', 'frobenius/last-block', 'mean/hf-last')
GROUP BY ALL
ORDER BY model, protocol;
