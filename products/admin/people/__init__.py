"""The pages where people log in, and where they look after their own account."""
