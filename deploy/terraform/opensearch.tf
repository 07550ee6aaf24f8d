resource "aws_opensearch_domain" "products" {
  count = var.enable_opensearch ? 1 : 0

  domain_name    = "bbws-products-${local.env}"
  engine_version = "OpenSearch_2.19"

  cluster_config {
    instance_type          = var.opensearch.instance_type
    instance_count         = var.opensearch.instance_count
    zone_awareness_enabled = var.opensearch.instance_count > 1

    dynamic "zone_awareness_config" {
      for_each = var.opensearch.instance_count > 1 ? [1] : []

      content {
        availability_zone_count = 2
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.opensearch.volume_gb
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }
}

# These roles may send requests; each role's own policy says which.
resource "aws_opensearch_domain_policy" "products" {
  count = var.enable_opensearch ? 1 : 0

  domain_name = aws_opensearch_domain.products[0].domain_name
  access_policies = templatefile("${path.module}/policies/search-domain.json.tftpl", {
    search_domain_arn = local.search_arn
    role_arns = jsonencode(concat(
      [for name in ["list", "creator", "search-indexer"] : module.function[name].role_arn],
      var.enable_containers ? module.containers[0].task_role_arns : [],
    ))
  })
}
