# The table. Its keys and indexes are those of products/adapters/dynamodb/items.py.
resource "aws_dynamodb_table" "products" {
  name                        = "bbws-products-${local.env}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = toset(["PK", "SK", "activeCurrency", "priceSort", "activeFlag", "createdSort", "openFlag", "acceptedAt", "logShard", "nameSort", "updatedSort", "activeShard", "storedShard", "storedSort"])

    content {
      name = attribute.value
      type = "S"
    }
  }

  global_secondary_index {
    name            = "ProductsByPriceIndex"
    hash_key        = "activeCurrency"
    range_key       = "priceSort"
    projection_type = "ALL"
  }

  global_secondary_index {
    name            = "ProductsByCreatedIndex"
    hash_key        = "activeFlag"
    range_key       = "createdSort"
    projection_type = "ALL"
  }

  global_secondary_index {
    name            = "OpenChangesIndex"
    hash_key        = "openFlag"
    range_key       = "acceptedAt"
    projection_type = "KEYS_ONLY"
  }

  global_secondary_index {
    name            = "LatestChangesIndex"
    hash_key        = "logShard"
    range_key       = "acceptedAt"
    projection_type = "KEYS_ONLY"
  }

  global_secondary_index {
    name            = "ProductsByNameIndex"
    hash_key        = "activeFlag"
    range_key       = "nameSort"
    projection_type = "KEYS_ONLY"
  }

  global_secondary_index {
    name            = "ProductsByUpdateIndex"
    hash_key        = "activeShard"
    range_key       = "updatedSort"
    projection_type = "KEYS_ONLY"
  }

  global_secondary_index {
    name            = "StoredRecordsIndex"
    hash_key        = "storedShard"
    range_key       = "storedSort"
    projection_type = "KEYS_ONLY"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

# After a restore the application can use the restored table under its own name, so that reads have
# no gap. docs/operations.md has the steps.
locals {
  live_table     = coalesce(var.restored_table, aws_dynamodb_table.products.name)
  live_table_arn = var.restored_table == null ? aws_dynamodb_table.products.arn : "arn:aws:dynamodb:${var.region}:${var.account_id}:table/${var.restored_table}"
}
