"""The staff groups, and the verbs of their permissions on products."""

GROUPS = {
    "Product viewers": ["view"],
    "Product editors": ["view", "add", "change", "plan"],
    "Product admins": ["view", "add", "change", "delete", "operate", "plan"],
    "Product operators": ["view", "operate"],
}
