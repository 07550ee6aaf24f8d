# Responses vary by Authorization, Accept and Origin (for CORS), as their Vary header says. All three
# are part of the cache key, so staff and the public never share a cached response. Cache-Control
# decides how long a response is cached; without it, a response is not cached.
resource "aws_cloudfront_cache_policy" "products" {
  name        = "bbws-products-${local.env}"
  comment     = "As long as the application says, by who asks, in what form, and from which page"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 86400

  parameters_in_cache_key_and_forwarded_to_origin {
    # No compression: CloudFront would make ETags weak, but If-Match needs strong ones.
    enable_accept_encoding_gzip   = false
    enable_accept_encoding_brotli = false

    headers_config {
      header_behavior = "whitelist"
      headers {
        items = ["Accept", "Authorization", "Origin"]
      }
    }

    cookies_config {
      cookie_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

# No cookies: only the admin uses sessions, and it is not behind this distribution.
resource "aws_cloudfront_origin_request_policy" "api" {
  name    = "bbws-products-${local.env}"
  comment = "Everything but the viewer's Host, by which API Gateway would not know itself, and cookies"

  headers_config {
    header_behavior = "allExcept"
    headers {
      items = ["Host"]
    }
  }

  cookies_config {
    cookie_behavior = "none"
  }

  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_response_headers_policy" "api" {
  name    = "bbws-products-${local.env}"
  comment = "What the application says itself stays"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      override                   = false
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "same-origin"
      override        = false
    }
  }
}

resource "aws_cloudfront_origin_access_control" "media" {
  name                              = "bbws-product-media-${local.env}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

locals {
  # The ids of CloudFront's managed policies.
  caching_disabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
}

resource "aws_cloudfront_distribution" "api" {
  comment         = "bbws-products-${local.env}"
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = "PriceClass_All" # cheaper classes have no edge locations in Africa
  web_acl_id      = coalesce(var.web_acl_arn, try(aws_wafv2_web_acl.clients[0].arn, null))
  aliases         = var.api_domain == null ? [] : [var.api_domain.name]

  origin {
    origin_id           = "api"
    domain_name         = module.api.host
    origin_path         = "/${module.api.stage}"
    connection_attempts = 2
    connection_timeout  = 5

    # API Gateway requires this key, so clients can't easily bypass the cache and its limits. It is
    # in Terraform's state, so it is no protection against people who may read that.
    custom_header {
      name  = "X-Api-Key"
      value = module.api.edge_keys[var.edge_key]
    }

    custom_origin_config {
      http_port                = 80
      https_port               = 443
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      origin_read_timeout      = 30
      origin_keepalive_timeout = 60
    }
  }

  origin {
    origin_id                = "media"
    domain_name              = module.media_bucket.domain
    origin_access_control_id = aws_cloudfront_origin_access_control.media.id
  }

  default_cache_behavior {
    target_origin_id           = "api"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.caching_disabled
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.api.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.api.id
  }

  ordered_cache_behavior {
    path_pattern               = "/v1.0/products*"
    target_origin_id           = "api"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = var.enable_cloudfront_cache ? aws_cloudfront_cache_policy.products.id : local.caching_disabled
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.api.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.api.id
    compress                   = false
  }

  # Images are stored under products/…, static files under static/….
  dynamic "ordered_cache_behavior" {
    for_each = ["/products/*", "/static/*"]

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "media"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD"]
      cached_methods             = ["GET", "HEAD"]
      cache_policy_id            = local.caching_optimized
      response_headers_policy_id = aws_cloudfront_response_headers_policy.api.id
      compress                   = true
    }
  }

  # Errors are not cached: a missing product may be created a moment later.
  dynamic "custom_error_response" {
    for_each = toset([400, 403, 404, 405, 500, 502, 503, 504])

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.api_domain == null
    acm_certificate_arn            = try(var.api_domain.certificate_arn, null)
    ssl_support_method             = var.api_domain == null ? null : "sni-only"
    minimum_protocol_version       = var.api_domain == null ? "TLSv1" : "TLSv1.2_2021"
  }
}

# Access logs in S3.
resource "aws_cloudwatch_log_delivery_source" "cloudfront" {
  provider = aws.us_east_1

  name         = "bbws-products-${local.env}"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.api.arn
}

resource "aws_cloudwatch_log_delivery_destination" "cloudfront" {
  provider = aws.us_east_1

  name          = "bbws-products-${local.env}"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = module.log_bucket.arn
  }
}

resource "aws_cloudwatch_log_delivery" "cloudfront" {
  provider = aws.us_east_1

  delivery_source_name     = aws_cloudwatch_log_delivery_source.cloudfront.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.cloudfront.arn
}
