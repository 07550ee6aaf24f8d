"""Planned changes: edits that are made at a time, and taken back at another. Pure."""
