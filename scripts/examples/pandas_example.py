"""Last gains of every model observed here, of evidence and of rehearsal, under three protocols, with pandas.

Run: python scripts/examples/pandas_example.py results/tables   (needs pandas and pyarrow)
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

tables = Path(sys.argv[1] if len(sys.argv) > 1 else "results/tables")
wanted = [("evidence", "!=", "published"), ("metric", "==", "last-gain"), ("bos", "==", "auto")]
gains = pd.read_parquet(tables / "measurements.parquet", filters=wanted)
# Numbers of different protocols are different quantities: the protocol is part of the index, never averaged away.
gains = gains.assign(protocol=gains.reduction + "/" + gains.endpoint, log_gain=np.log(gains.value))
chosen = gains[gains.protocol.isin(["last/last-block", "frobenius/last-block", "mean/hf-last"])]
print(np.exp(chosen.pivot_table(index="model", columns="protocol", values="log_gain")).round(4).to_string())
