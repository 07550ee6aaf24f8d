"""Formats for Afrikaans."""
