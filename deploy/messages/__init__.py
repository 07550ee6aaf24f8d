"""Catalogues of translated texts: extraction from the sources, and compilation.

``make messages`` runs it. It is pure Python, so nobody needs GNU gettext.
"""
