"""Jobs: bulk edits and imports of many products, planned and seen before they are applied a chunk at a time."""
