# One image; its argument is the role. Workers and the scheduler run only if containers consume the
# queues.
locals {
  name       = "bbws-products-${var.environment}"
  port       = 8000
  heartbeats = "/tmp/heartbeats"
  queues     = [for part in ["change", "cache", "search", "audit"] : "bbws-product-${part}-${var.environment}"]
  healthy    = ["CMD", "/app/deploy/entrypoint.sh", "health"] # checks each role in a different way

  roles = {
    web       = { cpu = 512, memory = 1024, health = local.healthy, runs = true, policy = "web" }
    worker    = { cpu = 512, memory = 1024, health = local.healthy, runs = var.consume_queues, policy = "worker" }
    scheduler = { cpu = 256, memory = 512, health = local.healthy, runs = var.consume_queues, policy = "worker" }
    migrate   = { cpu = 256, memory = 512, health = null, runs = true, policy = "operator" }
  }
  running = { for role, what in local.roles : role => what if what.runs }

  environment = merge(var.settings, {
    # boto3 and kombu read the second; Fargate adds neither if one is set here.
    AWS_REGION           = var.region
    AWS_DEFAULT_REGION   = var.region
    ALLOWED_HOSTS        = var.domain_name
    CSRF_TRUSTED_ORIGINS = "https://${var.domain_name}"
    NUM_PROXIES          = "1" # the load balancer
    HEARTBEAT_DIR        = local.heartbeats
  })

  # The application has its own database role, whose rights `manage.py database_role` grants. Only
  # the migration uses the master user. The password is in PGPASSWORD, which PostgreSQL's client
  # library reads.
  database_urls = {
    for user in [local.database_role, aws_db_instance.this.username] : user =>
    "postgres://${user}@${aws_db_instance.this.endpoint}/${aws_db_instance.this.db_name}?sslmode=verify-full&sslrootcert=/app/deploy/rds-roots.pem"
  }
  database_role = "bbws_app"

  secrets = {
    for role, what in local.roles : role => merge(var.secret_arns, role == "migrate" ? {
      PGPASSWORD             = "${local.database_secret_arn}:password::"
      DATABASE_ROLE_PASSWORD = var.database_key_arn
      } : {
      PGPASSWORD = var.database_key_arn
    })
  }
  environments = {
    for role, what in local.roles : role => merge(local.environment, {
      DATABASE_URL  = local.database_urls[role == "migrate" ? aws_db_instance.this.username : local.database_role]
      DATABASE_ROLE = local.database_role
    })
  }
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.running

  name              = "/aws/ecs/${local.name}/${each.key}"
  retention_in_days = var.retention_days
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.running

  family                   = "${local.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.value.policy].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # The image declares /tmp as a volume, so its user can write there.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([merge(
    {
      name                   = each.key
      image                  = var.image
      essential              = true
      command                = [each.key]
      readonlyRootFilesystem = true
      stopTimeout            = 60
      environment            = [for name, value in local.environments[each.key] : { name = name, value = value }]
      secrets                = [for name, arn in local.secrets[each.key] : { name = name, valueFrom = arn }]
      mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
      portMappings           = each.key == "web" ? [{ containerPort = local.port, protocol = "tcp" }] : []
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          "awslogs-group"         = aws_cloudwatch_log_group.this[each.key].name
          "awslogs-region"        = var.region
          "awslogs-stream-prefix" = each.key
        }
      }
    },
    each.value.health == null ? {} : {
      healthCheck = { command = each.value.health, interval = 30, timeout = 10, retries = 3, startPeriod = 60 }
    },
  )])
}

resource "aws_ecs_service" "this" {
  for_each = { for role, what in local.running : role => what if role != "migrate" }

  name                   = each.key
  cluster                = aws_ecs_cluster.this.id
  task_definition        = aws_ecs_task_definition.this[each.key].arn
  launch_type            = "FARGATE"
  platform_version       = "LATEST"
  desired_count          = { web = var.web_count, worker = var.worker_counts.least, scheduler = 1 }[each.key]
  enable_execute_command = false
  propagate_tags         = "SERVICE"

  # Two schedulers would send each message twice, which is harmless but useless.
  deployment_minimum_healthy_percent = each.key == "scheduler" ? 0 : 100
  deployment_maximum_percent         = each.key == "scheduler" ? 100 : 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.private_subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.key == "web" ? [1] : []

    content {
      target_group_arn = aws_lb_target_group.web.arn
      container_name   = "web"
      container_port   = local.port
    }
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling changes it
  }

  depends_on = [aws_lb_listener_rule.admin]
}
