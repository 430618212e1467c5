//! Statistics: tests, intervals and corrections, checked against stored SciPy values.
