"""How texts become words, and which words a search looks for. Pure.

Documents and searches pass through the same functions, so the search engine only compares words.
"""
