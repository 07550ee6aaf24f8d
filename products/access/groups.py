"""The groups of staff, and what each may do with products."""

GROUPS = {
    "Product viewers": ["view"],
    "Product editors": ["view", "add", "change"],
    "Product admins": ["view", "add", "change", "delete", "operate"],
    "Product operators": ["view", "operate"],
}
