"""The staff groups, and the verbs of their permissions on products."""

GROUPS = {
    "Product viewers": ["view"],
    "Product editors": ["view", "add", "change"],
    "Product admins": ["view", "add", "change", "delete", "operate"],
    "Product operators": ["view", "operate"],
}
