//! The job graph: what is to be done, under which key, and why it is stale.
