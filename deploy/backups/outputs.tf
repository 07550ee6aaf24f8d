output "vault_arn" {
  description = "The value of backup_vault_arn in the environment's .tfvars."
  value       = aws_backup_vault.copies.arn
}
