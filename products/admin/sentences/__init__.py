"""The sentences of the core in the language of the reader.

``docs/decisions/0128-sentences-of-the-core.md`` says why they are found by their text.
"""
