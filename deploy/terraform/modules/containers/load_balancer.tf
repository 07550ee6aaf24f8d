resource "aws_lb" "this" {
  name                       = local.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.network.public_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  access_logs {
    enabled = true
    bucket  = var.log_bucket
  }
}

resource "aws_lb_target_group" "web" {
  name                 = local.name
  vpc_id               = var.network.vpc_id
  target_type          = "ip"
  port                 = local.port
  protocol             = "HTTP"
  deregistration_delay = 30

  # Not /readyz: ECS must not stop a task because one of its dependencies is unavailable.
  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "There is nothing at this address."
      status_code  = "404"
    }
  }
}

# Staff get the admin. The API is behind CloudFront only, where its cache and its limits are, and
# /readyz would let strangers call our dependencies.
resource "aws_lb_listener_rule" "admin" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }

  condition {
    path_pattern {
      values = ["/", "/admin", "/admin/*", "/static/*", "/healthz"]
    }
  }

  condition {
    host_header {
      values = [var.domain_name]
    }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_security_group" "load_balancer" {
  name        = "${local.name}-load-balancer"
  description = "HTTPS from where the admin may be reached"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  for_each = { for pair in setproduct(var.admin_cidrs, ["80", "443"]) : join(" ", pair) => { cidr = pair[0], port = tonumber(pair[1]) } }

  security_group_id = aws_security_group.load_balancer.id
  description       = "Staff; port 80 only redirects"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "To the web tasks only"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  referenced_security_group_id = aws_security_group.task.id
}

resource "aws_security_group" "task" {
  name        = "${local.name}-task"
  description = "All tasks"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "task" {
  security_group_id            = aws_security_group.task.id
  description                  = "From the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "mail" {
  count = var.mail_port == null ? 0 : 1

  security_group_id = aws_security_group.task.id
  description       = "The mail server"
  ip_protocol       = "tcp"
  from_port         = var.mail_port
  to_port           = var.mail_port
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "task" {
  for_each = { "443" = "0.0.0.0/0", "5432" = null }

  security_group_id            = aws_security_group.task.id
  description                  = each.key == "443" ? "AWS, and the issuers of tokens and accounts" : "The database"
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)
  cidr_ipv4                    = each.value
  referenced_security_group_id = each.key == "5432" ? aws_security_group.database.id : null
}
