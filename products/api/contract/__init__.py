"""The OpenAPI contract: what the views read and answer, as one document."""
