"""Reconciliation: compare records, names, documents and audit records with the log; repair."""
