"""Runs the examples on the tables of a run and asks that all of them find the same numbers.

Run: python scripts/examples/check.py PATH/TO/streamgauge [RESULTS]   (needs requirements.txt beside it; R if it is there)
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from rocrate.rocrate import ROCrate

HERE = Path(__file__).resolve().parent


def numbers_of_pandas(tables: Path) -> dict:
    text = subprocess.run(
        [sys.executable, HERE / "pandas_example.py", tables], check=True, capture_output=True, text=True
    ).stdout
    lines = text.splitlines()
    protocols = lines[0].split()[1:]
    rows = [line.split() for line in lines[2:]]
    return {(row[0], p): float(value) for row in rows for p, value in zip(protocols, row[1:])}


def numbers_of_duckdb(tables: Path) -> dict:
    query = (HERE / "duckdb_example.sql").read_text().replace("results/tables", str(tables))
    return {(model, protocol): gain for model, protocol, gain, _ in duckdb.sql(query).fetchall()}


def numbers_of_r(program: str, results: Path) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        gains = Path(folder) / "gains.csv"
        command = [program, "tables", "measurements", "--where", "metric=last-gain", "--results", str(results)]
        gains.write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        command = ["Rscript", str(HERE / "r_example.R"), str(gains)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    protocols = lines[0].split()
    rows = [line.split() for line in lines[1:]]
    return {(row[0], p): float(value) for row in rows for p, value in zip(protocols, row[1:])}


def check_crate(results: Path) -> int:
    crate = ROCrate(str(results))
    missing = [e.id for e in crate.data_entities if not (results / e.id).is_file()]
    assert not missing, f"the crate lists files that are not there: {missing}"
    listed = {e.id for e in crate.data_entities}
    assert "verdicts.json" in listed and "tables/measurements.parquet" in listed
    root = crate.root_dataset
    for key in ("name", "description", "license"):
        assert root.get(key), f"the root of the crate has no {key}"
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", str(root.get("datePublished")))
    return len(listed)


def main() -> None:
    program, results = sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "results")
    tables = results / "tables"
    found = {"pandas": numbers_of_pandas(tables), "DuckDB": numbers_of_duckdb(tables)}
    if shutil.which("Rscript"):
        found["R"] = numbers_of_r(program, results)
    else:
        print("R is not here, its example was not run; Debian: apt-get install r-base-core", file=sys.stderr)
    first, expected = next(iter(found.items()))
    assert expected, "no gains in the tables"
    for name, numbers in found.items():
        assert numbers.keys() == expected.keys(), f"{name} and {first} name different rows"
        worst = max(abs(numbers[key] - expected[key]) for key in expected)
        assert worst <= 1.01e-4, f"{name} differs from {first} by {worst}"
    entities = check_crate(results)
    print(f"{', '.join(found)} agree on {len(expected)} gains; the research object lists {entities} files, all there")


main()
