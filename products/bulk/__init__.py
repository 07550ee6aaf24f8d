"""Jobs: bulk edits and imports of many products, previewed and then applied in chunks."""
