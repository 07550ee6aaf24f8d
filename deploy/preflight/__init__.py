"""Checks before a plan: what an AWS account must have, and Terraform does not create."""
