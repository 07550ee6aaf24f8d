output "task_role_arns" {
  value = [for role in aws_iam_role.task : role.arn]
}

output "cluster" {
  value = aws_ecs_cluster.this.name
}

output "services" {
  value = sort([for service in aws_ecs_service.this : service.name])
}

output "target_group_suffix" {
  value = aws_lb_target_group.web.arn_suffix
}

output "load_balancer" {
  description = "The DNS name that the admin's domain must be an alias of."
  value       = aws_lb.this.dns_name
}

output "load_balancer_suffix" {
  value = aws_lb.this.arn_suffix
}

output "worker_log_group" {
  value = one([for role, group in aws_cloudwatch_log_group.this : group.name if role == "worker"])
}

output "database" {
  value = aws_db_instance.this.identifier
}

output "migrate" {
  value = {
    cluster         = aws_ecs_cluster.this.name
    task_definition = aws_ecs_task_definition.this["migrate"].arn
    network_configuration = {
      awsvpcConfiguration = {
        subnets        = var.network.private_subnet_ids
        securityGroups = [aws_security_group.task.id]
        assignPublicIp = "DISABLED"
      }
    }
  }
}
